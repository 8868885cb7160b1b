// The private key that `windlass push --sign` signs with: PKCS#8 PEM, plain or encrypted, and cosign's own key files.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "sigstore/public_key.h"

namespace windlass {

class SigningKey {
 public:
  static constexpr std::size_t kPemBytesMax = 64u << 10;

  // The first PEM block: "PRIVATE KEY", "ENCRYPTED PRIVATE KEY" (PKCS#8), "EC PRIVATE KEY", "RSA PRIVATE KEY",
  // "ENCRYPTED SIGSTORE PRIVATE KEY" or "ENCRYPTED COSIGN PRIVATE KEY". The password matters for encrypted ones only
  // and may be empty. Kind::denied for a wrong password, Kind::invalid for the rest; neither key nor password is in a
  // message.
  static Result<SigningKey> parse(std::string_view pem, const Secret& password);

  const PublicKey& public_key() const { return public_key_; }

  // The raw signature (base64 of it goes into the annotation) in the form that every release of cosign verifies:
  // SHA-256 for ECDSA (ASN.1) and RSA (PKCS#1 v1.5), pure Ed25519.
  Result<std::string> sign(std::string_view payload) const;

 private:
  SigningKey(std::shared_ptr<evp_pkey_st> handle, PublicKey public_key)
      : handle_(std::move(handle)), public_key_(std::move(public_key)) {}

  std::shared_ptr<evp_pkey_st> handle_;  // shared by copies: it never changes
  PublicKey public_key_;
};

}  // namespace windlass
