#include "sigstore/signing.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>

#include <algorithm>

#include "base/text.h"
#include "sigstore/cosign_key.h"
#include "sigstore/openssl.h"
#include "sigstore/pem.h"

namespace windlass {
namespace {

using EncryptedKey = std::unique_ptr<X509_SIG, openssl::Free<X509_SIG_free>>;
using Pkcs8Key = std::unique_ptr<PKCS8_PRIV_KEY_INFO, openssl::Free<PKCS8_PRIV_KEY_INFO_free>>;

Result<openssl::Key> read_plain(const Secret& der, const Secret&) {
  const auto* at = openssl::bytes(der.reveal());
  openssl::Key key(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.reveal().size())));
  if (!key) return fail(Kind::invalid, fmt::format("not a private key: {}", openssl::take_error()));
  openssl::take_error();
  return key;
}

Result<openssl::Key> read_encrypted(const Secret& der, const Secret& password) {
  const auto* at = openssl::bytes(der.reveal());
  const EncryptedKey encrypted(d2i_X509_SIG(nullptr, &at, static_cast<long>(der.reveal().size())));
  if (!encrypted) return fail(Kind::invalid, fmt::format("not an encrypted private key: {}", openssl::take_error()));
  const auto& text = password.reveal();
  const Pkcs8Key opened(PKCS8_decrypt(encrypted.get(), text.c_str(), static_cast<int>(text.size())));
  openssl::Key key(opened ? EVP_PKCS82PKEY(opened.get()) : nullptr);
  openssl::take_error();
  if (!key) return fail(Kind::denied, "the password does not open the key");
  return key;
}

Result<openssl::Key> read_cosign(const Secret& der, const Secret& password) {
  const auto opened = open_cosign_key(der.reveal(), password);
  if (!opened) return tl::unexpected(opened.error());
  return read_plain(*opened, password);
}

struct KeyForm {
  std::string_view label;
  Result<openssl::Key> (*read)(const Secret& der, const Secret& password);
};
constexpr KeyForm kForms[] = {
    {"PRIVATE KEY", read_plain},
    {"ENCRYPTED PRIVATE KEY", read_encrypted},
    {"EC PRIVATE KEY", read_plain},
    {"RSA PRIVATE KEY", read_plain},
    {"ENCRYPTED SIGSTORE PRIVATE KEY", read_cosign},
    {"ENCRYPTED COSIGN PRIVATE KEY", read_cosign},
};

Result<openssl::Key> read_key(std::string_view pem, const Secret& password) {
  if (pem.size() > SigningKey::kPemBytesMax)
    return fail(Kind::invalid,
                fmt::format("a private key has at most {} bytes, got {}", SigningKey::kPemBytesMax, pem.size()));
  auto blocks = read_pem(pem, 1);
  if (!blocks) return tl::unexpected(blocks.error());
  auto& block = blocks->front();
  const Secret der(std::move(block.der));
  const auto form = std::find_if(std::begin(kForms), std::end(kForms),
                                 [&](const KeyForm& known) { return known.label == block.label; });
  if (form != std::end(kForms)) return form->read(der, password);
  return fail(Kind::invalid,
              fmt::format("want a PEM block 'PRIVATE KEY', 'ENCRYPTED PRIVATE KEY' or 'ENCRYPTED SIGSTORE "
                          "PRIVATE KEY', found '{}'",
                          printable(block.label, 64)));
}

}  // namespace

Result<SigningKey> SigningKey::parse(std::string_view pem, const Secret& password) {
  auto key = read_key(pem, password);
  if (!key) return tl::unexpected(key.error());
  auto public_key = PublicKey::parse_der(openssl::der_of(key->get(), i2d_PUBKEY));
  if (!public_key) return tl::unexpected(public_key.error());
  return SigningKey({key->release(), EVP_PKEY_free}, std::move(*public_key));
}

Result<std::string> SigningKey::sign(std::string_view payload) const {
  const auto* hash = EVP_PKEY_get_base_id(handle_.get()) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256();
  const openssl::DigestContext context(EVP_MD_CTX_new());
  std::size_t size = 0;
  if (EVP_DigestSignInit(context.get(), nullptr, hash, nullptr, handle_.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, openssl::bytes(payload), payload.size()) != 1)
    return fail(Kind::internal, fmt::format("signing: {}", openssl::take_error()));
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, openssl::bytes(payload),
                     payload.size()) != 1)
    return fail(Kind::internal, fmt::format("signing: {}", openssl::take_error()));
  signature.resize(size);
  return signature;
}

}  // namespace windlass
