#include "sys/http_client.h"

#include "base/text.h"

namespace windlass {

std::string_view HttpResponse::header(std::string_view name) const {
  const auto wanted = lower(name);
  for (const auto& header : headers)
    if (header.name.size() == name.size() && lower(header.name) == wanted) return header.value;
  return {};
}

}  // namespace windlass
