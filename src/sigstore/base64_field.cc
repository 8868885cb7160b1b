#include "sigstore/base64_field.h"

#include <fmt/format.h>

#include "sys/crypto.h"

namespace windlass {

Result<std::string> decode_base64(std::string_view field, std::string_view text) {
  auto bytes = base64_decode(text);
  if (!bytes || base64_encode(*bytes) != text)
    return fail(Kind::invalid, fmt::format("{} is not standard base64", field));
  return std::move(*bytes);
}

}  // namespace windlass
