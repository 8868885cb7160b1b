#include "sigstore/openssl.h"

#include <openssl/err.h>

namespace windlass::openssl {

std::string hash_of(std::string_view text, const EVP_MD* algorithm) {
  std::string hash(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(hash.data()), &size, algorithm, nullptr);
  hash.resize(size);
  return hash;
}

std::string take_error() {
  const auto code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  return reason != nullptr ? reason : "not understood";
}

}  // namespace windlass::openssl
