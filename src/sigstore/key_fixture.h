// Private keys made in the test, of every kind.
#pragma once

#include <openssl/pem.h>
#include <sodium.h>

#include <stdexcept>
#include <string>

#include "sigstore/openssl.h"
#include "sigstore/public_key.h"
#include "sys/crypto.h"

namespace windlass {

class TestKey {
 public:
  static TestKey ec(const char* curve) { return TestKey(EVP_EC_gen(curve)); }  // "P-256", "secp256k1"
  static TestKey rsa(unsigned bits) { return TestKey(EVP_RSA_gen(bits)); }
  static TestKey ed25519() { return TestKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")); }

  EVP_PKEY* handle() const { return handle_.get(); }
  std::string der() const { return openssl::der_of(handle(), i2d_PUBKEY); }
  PublicKey public_key() const {
    auto key = PublicKey::parse_der(der());
    if (!key) throw std::runtime_error(key.error().message);
    return *key;
  }
  std::string pem() const { return written(PEM_write_bio_PUBKEY); }
  std::string private_pem() const {
    const openssl::Bio out(BIO_new(BIO_s_mem()));
    PEM_write_bio_PKCS8PrivateKey(out.get(), handle(), nullptr, nullptr, 0, nullptr, nullptr);
    return text_of(out.get());
  }

  // `hash` is null for Ed25519.
  std::string sign(std::string_view message, const EVP_MD* hash = EVP_sha256()) const {
    const openssl::DigestContext context(EVP_MD_CTX_new());
    if (EVP_PKEY_get_base_id(handle()) == EVP_PKEY_ED25519) hash = nullptr;
    EVP_DigestSignInit(context.get(), nullptr, hash, nullptr, handle());
    std::size_t size = 0;
    EVP_DigestSign(context.get(), nullptr, &size, openssl::bytes(message), message.size());
    std::string signature(size, '\0');
    EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, openssl::bytes(message),
                   message.size());
    signature.resize(size);
    return signature;
  }
  // Ed25519ph.
  std::string sign_hashed(std::string_view message) const {
    unsigned char seed[32], whole[64], unused[32];
    std::size_t size = sizeof seed;
    EVP_PKEY_get_raw_private_key(handle(), seed, &size);
    crypto_sign_ed25519_seed_keypair(unused, whole, seed);
    crypto_sign_ed25519ph_state state;
    crypto_sign_ed25519ph_init(&state);
    crypto_sign_ed25519ph_update(&state, openssl::bytes(message), message.size());
    std::string signature(64, '\0');
    crypto_sign_ed25519ph_final_create(&state, reinterpret_cast<unsigned char*>(signature.data()), nullptr, whole);
    return signature;
  }

 private:
  explicit TestKey(EVP_PKEY* handle) : handle_(handle) {
    if (handle == nullptr) throw std::runtime_error("OpenSSL made no key");
  }
  static std::string text_of(BIO* out) {
    char* text = nullptr;
    const auto size = BIO_get_mem_data(out, &text);
    return {text, static_cast<std::size_t>(size)};
  }
  template <class Write>
  std::string written(Write write) const {
    const openssl::Bio out(BIO_new(BIO_s_mem()));
    write(out.get(), handle());
    return text_of(out.get());
  }

  openssl::Key handle_;
};

}  // namespace windlass
