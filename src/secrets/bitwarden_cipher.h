// The cipher of Bitwarden Secrets Manager: keys of 32 bytes AES and 32 bytes MAC, texts "2.<iv>|<data>|<mac>"
// (secrets/V4.5, V4.6).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace windlass {

// SECRET_PROVIDER_ACCESS_TOKEN of a machine account: "0.<client id>.<client secret>:<base64 of 16 bytes>".
struct BitwardenToken {
  std::string client_id;
  Secret client_secret;
  Secret seed;
};
Result<BitwardenToken> parse_bitwarden_token(std::string_view text);

class BitwardenKey {
 public:
  static constexpr std::size_t kBytes = 64;

  // The key of a machine account, from the seed in its token.
  static BitwardenKey of_account(const Secret& seed);
  // Of an organisation; exactly 64 bytes, else Kind::invalid.
  static Result<BitwardenKey> from_bytes(std::string_view bytes);

  // AES-256-CBC with PKCS#7 padding, HMAC-SHA-256 over iv and data, which is checked first. Kind::invalid for another
  // form, another type of cipher, and what this key did not make.
  Result<Secret> decrypt(std::string_view text) const;

 private:
  explicit BitwardenKey(Secret bytes) : bytes_(std::move(bytes)) {}
  Secret bytes_;
};

}  // namespace windlass
