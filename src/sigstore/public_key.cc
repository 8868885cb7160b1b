#include "sigstore/public_key.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <sodium.h>

#include "base/text.h"
#include "sigstore/openssl.h"
#include "sigstore/pem.h"
#include "sys/crypto.h"

namespace windlass {
namespace {

constexpr std::size_t kEd25519SignatureBytes = 64;

struct Curve {
  int nid;
  std::string_view name;
  const EVP_MD* (*own_hash)();  // what cosign 3 signs with; SHA-256 was the only hash before
};
constexpr Curve kCurves[] = {
    {NID_X9_62_prime256v1, "P-256", EVP_sha256},
    {NID_secp384r1, "P-384", EVP_sha384},
    {NID_secp521r1, "P-521", EVP_sha512},
};

const Curve* curve_of(const EVP_PKEY* key) {
  char name[64] = {};
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(key, name, sizeof name, &size) != 1) return nullptr;
  const int nid = OBJ_txt2nid(name);
  for (const auto& curve : kCurves)
    if (curve.nid == nid) return &curve;
  return nullptr;
}

Result<std::string> algorithm_of(const EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_ED25519:
      return "Ed25519";
    case EVP_PKEY_EC: {
      const auto* curve = curve_of(key);
      if (curve == nullptr) return fail(Kind::invalid, "the curve of the ECDSA key is not P-256, P-384 or P-521");
      return fmt::format("ECDSA {}", curve->name);
    }
    case EVP_PKEY_RSA: {
      const int bits = EVP_PKEY_get_bits(key);
      if (bits < PublicKey::kRsaBitsMin || bits > PublicKey::kRsaBitsMax)
        return fail(Kind::invalid, fmt::format("the RSA key has {} bits, want {} to {}", bits, PublicKey::kRsaBitsMin,
                                               PublicKey::kRsaBitsMax));
      return fmt::format("RSA {}", bits);
    }
    default:
      return fail(Kind::invalid, "the key is not ECDSA, RSA or Ed25519");
  }
}

bool verify_hashed(EVP_PKEY* key, const EVP_MD* hash, std::string_view message, std::string_view signature) {
  const openssl::DigestContext context(EVP_MD_CTX_new());
  return EVP_DigestVerifyInit(context.get(), nullptr, hash, nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), openssl::bytes(signature), signature.size(), openssl::bytes(message),
                          message.size()) == 1;
}

// Ed25519ph (RFC 8032, 5.1) is OpenSSL's only from 3.2 on; libsodium has it everywhere.
bool verify_ed25519ph(EVP_PKEY* key, std::string_view message, std::string_view signature) {
  unsigned char raw[crypto_sign_ed25519_PUBLICKEYBYTES];
  std::size_t size = sizeof raw;
  if (EVP_PKEY_get_raw_public_key(key, raw, &size) != 1 || sodium_init() < 0) return false;
  crypto_sign_ed25519ph_state state;
  crypto_sign_ed25519ph_init(&state);
  crypto_sign_ed25519ph_update(&state, openssl::bytes(message), message.size());
  return crypto_sign_ed25519ph_final_verify(&state, const_cast<unsigned char*>(openssl::bytes(signature)), raw) == 0;
}

bool verify_ed25519(EVP_PKEY* key, std::string_view message, std::string_view signature, SignedForm form) {
  if (signature.size() != kEd25519SignatureBytes) return false;
  const auto pure = [&] { return verify_hashed(key, nullptr, message, signature); };
  const auto hashed_first = [&] { return verify_ed25519ph(key, message, signature); };
  switch (form) {
    case SignedForm::simple_payload:
      return hashed_first() || pure();
    case SignedForm::envelope:
      return pure() || hashed_first();
    case SignedForm::log_record:
      return pure();
  }
  return false;
}

bool verify_ecdsa(EVP_PKEY* key, std::string_view message, std::string_view signature, SignedForm form) {
  const auto* own_hash = curve_of(key)->own_hash();
  if (verify_hashed(key, own_hash, message, signature)) return true;
  return own_hash != EVP_sha256() && form != SignedForm::log_record &&
         verify_hashed(key, EVP_sha256(), message, signature);
}

}  // namespace

PublicKey::PublicKey(Handle handle, std::string algorithm, std::string der)
    : handle_(std::move(handle)),
      algorithm_(std::move(algorithm)),
      der_(std::move(der)),
      fingerprint_("SHA256:" + sha256_hex(der_)) {}

Result<PublicKey> PublicKey::of(Handle handle) {
  auto algorithm = algorithm_of(handle.get());
  if (!algorithm) return tl::unexpected(algorithm.error());
  auto der = openssl::der_of(handle.get(), i2d_PUBKEY);
  return PublicKey(std::move(handle), std::move(*algorithm), std::move(der));
}

Result<PublicKey> PublicKey::parse_der(std::string_view der) {
  const auto* at = openssl::bytes(der);
  Handle handle(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())), EVP_PKEY_free);
  if (!handle) {
    at = openssl::bytes(der);
    handle = Handle(d2i_PublicKey(EVP_PKEY_RSA, nullptr, &at, static_cast<long>(der.size())), EVP_PKEY_free);
  }
  if (!handle) return fail(Kind::invalid, fmt::format("not a public key: {}", openssl::take_error()));
  if (at != openssl::bytes(der) + der.size()) return fail(Kind::invalid, "not a public key: bytes after its end");
  openssl::take_error();
  return of(std::move(handle));
}

Result<PublicKey> PublicKey::parse_pem(std::string_view pem) {
  if (pem.size() > kPemBytesMax)
    return fail(Kind::invalid, fmt::format("a public key has at most {} bytes, got {}", kPemBytesMax, pem.size()));
  auto blocks = read_pem(pem, 1);
  if (!blocks) return tl::unexpected(blocks.error());
  const auto& block = blocks->front();
  if (block.label != "PUBLIC KEY" && block.label != "RSA PUBLIC KEY")
    return fail(Kind::invalid, fmt::format("want a PEM block 'PUBLIC KEY' or 'RSA PUBLIC KEY', found '{}'",
                                           printable(block.label, 64)));
  return parse_der(block.der);
}

bool PublicKey::verifies(std::string_view message, std::string_view signature, SignedForm form) const {
  bool good = false;
  switch (EVP_PKEY_get_base_id(handle_.get())) {
    case EVP_PKEY_ED25519:
      good = verify_ed25519(handle_.get(), message, signature, form);
      break;
    case EVP_PKEY_EC:
      good = verify_ecdsa(handle_.get(), message, signature, form);
      break;
    default:
      good = verify_hashed(handle_.get(), EVP_sha256(), message, signature);
      break;
  }
  openssl::take_error();
  return good;
}

bool PublicKey::verifies_sha256(std::string_view hash, std::string_view signature) const {
  if (EVP_PKEY_get_base_id(handle_.get()) == EVP_PKEY_ED25519) return false;
  const openssl::KeyContext context(EVP_PKEY_CTX_new(handle_.get(), nullptr));
  const bool good =
      EVP_PKEY_verify_init(context.get()) == 1 && EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) == 1 &&
      EVP_PKEY_verify(context.get(), openssl::bytes(signature), signature.size(), openssl::bytes(hash), hash.size()) ==
          1;
  openssl::take_error();
  return good;
}

}  // namespace windlass
