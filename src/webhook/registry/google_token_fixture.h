// For tests: who signs as Google does.
#pragma once

#include <openssl/bn.h>
#include <openssl/core_names.h>

#include <algorithm>
#include <string>

#include "sigstore/key_fixture.h"
#include "sys/crypto.h"
#include "sys/json.h"

namespace windlass {

inline std::string base64url(std::string_view bytes) {
  auto text = base64_encode(bytes);
  while (text.ends_with('=')) text.pop_back();
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

// A signer such as Google's: an RSA key, its web key, and tokens.
class GoogleSigner {
 public:
  std::string key_set(const std::string& id) const {
    return R"({"keys":[{"kty":"EC","kid":"other"},{"kty":"RSA","alg":"RS256","kid":")" + id + R"(","n":")" +
           number(OSSL_PKEY_PARAM_RSA_N) + R"(","e":")" + number(OSSL_PKEY_PARAM_RSA_E) + "\"}]}";
  }
  std::string token(const std::string& id, const json::object& claims, const std::string& algorithm = "RS256") const {
    const json::object head{{"alg", algorithm}, {"kid", id}, {"typ", "JWT"}};
    const auto text = base64url(json::serialize(head)) + "." + base64url(json::serialize(claims));
    return text + "." + base64url(key_.sign(text));
  }

 private:
  std::string number(const char* name) const {
    BIGNUM* value = nullptr;
    EVP_PKEY_get_bn_param(key_.handle(), name, &value);
    std::string bytes(static_cast<std::size_t>(BN_num_bytes(value)), '\0');
    BN_bn2bin(value, reinterpret_cast<unsigned char*>(bytes.data()));
    BN_free(value);
    return base64url(bytes);
  }
  TestKey key_ = TestKey::rsa(2048);
};

}  // namespace windlass
