// The public keys that a signature is judged by (oci 11.4): ECDSA on P-256, P-384 and P-521, RSA with PKCS#1 v1.5,
// Ed25519.
//
// A key decides alone which hashes it accepts: the text of a signature never chooses its algorithm.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace windlass {

// What was signed. Signers differ in how they hash before they sign; the first form listed is tried first.
enum class SignedForm {
  simple_payload,  // cosign's simple signing. Ed25519: pre-hashed (Ed25519ph), then pure
  envelope,        // DSSE, message signatures. Ed25519: pure, then pre-hashed
  log_record,      // promises, checkpoints, certificate timestamps. One form only: the hash of the curve, Ed25519 pure
};

class PublicKey {
 public:
  static constexpr std::size_t kPemBytesMax = 64u << 10;  // the largest key taken has 1.5 KB
  static constexpr int kRsaBitsMin = 2048;                // shorter ones are within reach of an attacker
  static constexpr int kRsaBitsMax = 8192;                // longer ones only cost time to check

  // The first PEM block: "PUBLIC KEY" (PKIX) or "RSA PUBLIC KEY" (PKCS#1). Kind::invalid with what the text is instead.
  static Result<PublicKey> parse_pem(std::string_view pem);
  // A DER SubjectPublicKeyInfo, as certificates and trusted_root.json have it, or a PKCS#1 RSA key.
  static Result<PublicKey> parse_der(std::string_view der);

  // "SHA256:" and the hexadecimal hash of the DER SubjectPublicKeyInfo: how messages name a key.
  const std::string& fingerprint() const { return fingerprint_; }
  // "ECDSA P-256", "RSA 3072", "Ed25519".
  const std::string& algorithm() const { return algorithm_; }
  // The DER SubjectPublicKeyInfo.
  const std::string& der() const { return der_; }

  // ECDSA signatures are ASN.1, the others raw.
  bool verifies(std::string_view message, std::string_view signature, SignedForm form) const;
  // The same for a message of which only the SHA-256 hash (32 bytes) is at hand. Ed25519 signs the message itself, so
  // that it never verifies here.
  bool verifies_sha256(std::string_view hash, std::string_view signature) const;

  bool operator==(const PublicKey& other) const { return der_ == other.der_; }

 private:
  using Handle = std::shared_ptr<evp_pkey_st>;  // shared by copies of a key: it never changes
  friend class Certificate;
  static Result<PublicKey> of(Handle handle);
  PublicKey(Handle handle, std::string algorithm, std::string der);

  Handle handle_;
  std::string algorithm_;
  std::string der_;
  std::string fingerprint_;
};

}  // namespace windlass
