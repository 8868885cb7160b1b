#include "deploy/plain_content.h"

#include "base/text.h"
#include "sys/crypto.h"

namespace windlass {

std::string PlainContent::mark(std::string_view sha256_hex) const {
  const auto mac = HmacSha256(key_).sign(sha256_hex);
  return std::string(kPrefix) + to_hex({reinterpret_cast<const char*>(mac.data()), mac.size()});
}

}  // namespace windlass
