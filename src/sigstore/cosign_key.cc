#include "sigstore/cosign_key.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <sodium.h>

#include "sigstore/json_fields.h"

namespace windlass {
namespace {

struct Box {
  std::int64_t n = 0, r = 0, p = 0;  // of scrypt
  std::string salt, nonce, ciphertext;
};

Result<Box> read_box(std::string_view text) {
  const auto value = parse_json(text);
  if (!value) return tl::unexpected(value.error());
  JsonFields fields(*value);
  auto kdf = fields.object("kdf"), params = kdf.object("params"), cipher = fields.object("cipher");
  if (kdf.text("name") != "scrypt") kdf.refuse("name", "want scrypt");
  if (cipher.text("name") != "nacl/secretbox") cipher.refuse("name", "want nacl/secretbox");
  Box box{.n = params.number("N"),
          .r = params.number("r"),
          .p = params.number("p"),
          .salt = kdf.bytes("salt"),
          .nonce = cipher.bytes("nonce"),
          .ciphertext = fields.bytes("ciphertext")};
  if (box.nonce.size() != crypto_secretbox_NONCEBYTES)
    cipher.refuse("nonce", fmt::format("want {} bytes", crypto_secretbox_NONCEBYTES));
  if (box.ciphertext.size() < crypto_secretbox_MACBYTES)
    fields.refuse("ciphertext", fmt::format("want at least {} bytes", crypto_secretbox_MACBYTES));
  if (const auto status = fields.status(); !status) return tl::unexpected(status.error());
  return box;
}

Result<Secret> key_of(const Box& box, const Secret& password) {
  std::string key(crypto_secretbox_KEYBYTES, '\0');
  const auto& text = password.reveal();
  const int made = EVP_PBE_scrypt(text.data(), text.size(), reinterpret_cast<const unsigned char*>(box.salt.data()),
                                  box.salt.size(), static_cast<std::uint64_t>(box.n), static_cast<std::uint64_t>(box.r),
                                  static_cast<std::uint64_t>(box.p), kScryptBytesMax,
                                  reinterpret_cast<unsigned char*>(key.data()), key.size());
  if (made != 1)
    return fail(Kind::invalid, fmt::format("kdf.params: scrypt with N {}, r {}, p {} is not possible in {} MiB", box.n,
                                           box.r, box.p, kScryptBytesMax >> 20));
  return Secret(std::move(key));
}

}  // namespace

Result<Secret> open_cosign_key(std::string_view json, const Secret& password) {
  const auto box = read_box(json);
  if (!box) return tl::unexpected(box.error());
  const auto key = key_of(*box, password);
  if (!key) return tl::unexpected(key.error());
  std::string opened(box->ciphertext.size() - crypto_secretbox_MACBYTES, '\0');
  const auto raw = [](const std::string& text) { return reinterpret_cast<const unsigned char*>(text.data()); };
  if (crypto_secretbox_open_easy(reinterpret_cast<unsigned char*>(opened.data()), raw(box->ciphertext),
                                 box->ciphertext.size(), raw(box->nonce), raw(key->reveal())) != 0)
    return fail(Kind::denied, "the password does not open the key");
  return Secret(std::move(opened));
}

}  // namespace windlass
