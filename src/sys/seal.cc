#include "sys/seal.h"

#include <openssl/evp.h>

#include <memory>
#include <stdexcept>

#include "sys/crypto.h"

namespace windlass {
namespace {

constexpr std::size_t kNonceBytes = 12, kTagBytes = 16;

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

Cipher new_cipher() { return {EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free}; }
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

}  // namespace

Seal::Seal(const Secret& key, std::string_view purpose) {
  const auto derived = HmacSha256(key).sign(purpose);
  key_ = Secret(std::string(derived.begin(), derived.end()));
}

std::string Seal::close(std::string_view text) const {
  const auto nonce = random_bytes(kNonceBytes);
  std::string sealed(text.size(), '\0'), tag(kTagBytes, '\0');
  const auto cipher = new_cipher();
  int length = 0;
  const bool done =
      EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key_.reveal()), bytes_of(nonce)) == 1 &&
      EVP_EncryptUpdate(cipher.get(), bytes_of(sealed), &length, bytes_of(text), static_cast<int>(text.size())) == 1 &&
      EVP_EncryptFinal_ex(cipher.get(), bytes_of(tag), &length) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, tag.data()) == 1;
  if (!done) throw std::runtime_error("OpenSSL has no AES-256-GCM");
  return base64_encode(nonce + sealed + tag);
}

Result<std::string> Seal::open(std::string_view sealed) const {
  auto bytes = base64_decode(sealed);
  if (!bytes || bytes->size() < kNonceBytes + kTagBytes) return fail(Kind::invalid, "a sealed text is damaged");
  const auto all = std::string_view(*bytes);
  const auto closed = all.substr(kNonceBytes, all.size() - kNonceBytes - kTagBytes);
  std::string tag(all.substr(all.size() - kTagBytes)), text(closed.size(), '\0'), rest(kTagBytes, '\0');
  const auto cipher = new_cipher();
  int length = 0;
  const bool done =
      EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key_.reveal()), bytes_of(all)) == 1 &&
      EVP_DecryptUpdate(cipher.get(), bytes_of(text), &length, bytes_of(closed), static_cast<int>(closed.size())) ==
          1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(cipher.get(), bytes_of(rest), &length) == 1;
  if (!done) return fail(Kind::invalid, "a sealed text is damaged, or another key has sealed it");
  return text;
}

}  // namespace windlass
