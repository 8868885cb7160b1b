#include "sigstore/openssl.h"

#include <openssl/err.h>

namespace windlass::openssl {

std::string take_error() {
  const auto code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  return reason != nullptr ? reason : "not understood";
}

}  // namespace windlass::openssl
