#include "sys/server_request.h"

namespace windlass {

std::string_view ServerRequest::header(std::string_view name) const {
  for (const auto& header : headers)
    if (same_name(header.name, name)) return header.value;
  return {};
}

}  // namespace windlass
