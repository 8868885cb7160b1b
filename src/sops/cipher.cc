#include "sops/cipher.h"

#include <openssl/evp.h>
#include <openssl/kdf.h>

#include <array>
#include <memory>

#include "sys/crypto.h"

namespace windlass::sops {
namespace {

constexpr std::size_t kTagBytes = 16, kKeyBytes = 32;

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

struct Sealed {
  std::string_view text, tag, nonce, additional;
};

std::optional<std::string> open(const EVP_CIPHER* cipher, const Secret& key, const Sealed& sealed) {
  if (key.reveal().size() != kKeyBytes || sealed.tag.size() != kTagBytes || sealed.nonce.empty()) return std::nullopt;
  const Context context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  std::string plain(sealed.text.size(), '\0'), tag(sealed.tag);
  std::array<unsigned char, 32> rest{};
  int length = 0;
  const auto nonce_bytes = static_cast<int>(sealed.nonce.size());
  const auto update = [&](unsigned char* out, std::string_view in) {
    return in.empty() || EVP_DecryptUpdate(context.get(), out, &length, bytes_of(in), static_cast<int>(in.size())) == 1;
  };
  const bool done =
      EVP_DecryptInit_ex(context.get(), cipher, nullptr, nullptr, nullptr) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_IVLEN, nonce_bytes, nullptr) == 1 &&
      EVP_DecryptInit_ex(context.get(), nullptr, nullptr, bytes_of(key.reveal()), bytes_of(sealed.nonce)) == 1 &&
      update(nullptr, sealed.additional) && update(bytes_of(plain), sealed.text) &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(context.get(), rest.data(), &length) == 1;
  if (!done) return std::nullopt;
  return plain;
}

// The part between `name` and the next comma, or the end.
std::optional<std::string_view> part_of(std::string_view text, std::string_view name) {
  const auto at = text.find(name);
  if (at == text.npos) return std::nullopt;
  text.remove_prefix(at + name.size());
  return text.substr(0, text.find(','));
}

std::optional<Value> typed(std::string text, std::string_view type) {
  if (type == "str") return text_value(std::move(text));
  if (type == "int") return integer_value(text);
  if (type == "float") return number_value(text);
  if (type == "bool") return boolean_value(text);
  if (type == "time") return Value{Value::Kind::time, std::move(text), {}, {}};
  if (type == "comment") return Value{Value::Kind::comment, std::move(text), {}, {}};
  return std::nullopt;
}

}  // namespace

std::optional<std::string> open_aes_gcm(const Secret& key, std::string_view nonce, std::string_view sealed,
                                        std::string_view tag, std::string_view additional) {
  return open(EVP_aes_256_gcm(), key, {.text = sealed, .tag = tag, .nonce = nonce, .additional = additional});
}

std::optional<std::string> open_chacha20(const Secret& key, std::string_view nonce, std::string_view sealed) {
  if (sealed.size() < kTagBytes) return std::nullopt;
  const auto text = sealed.substr(0, sealed.size() - kTagBytes);
  return open(EVP_chacha20_poly1305(), key,
              {.text = text, .tag = sealed.substr(text.size()), .nonce = nonce, .additional = {}});
}

// By HMAC: OpenSSL's own takes no empty salt in all of its versions. One block is all that is asked for.
Secret hkdf_sha256(std::string_view key, std::string_view salt, std::string_view info) {
  const auto extracted = HmacSha256(Secret(salt.empty() ? std::string(32, '\0') : std::string(salt))).sign(key);
  HmacSha256 expand(Secret(std::string(extracted.begin(), extracted.end())));
  const auto block = expand.sign(std::string(info) + '\x01');
  return Secret(std::string(block.begin(), block.end()));
}

std::optional<Secret> x25519(const Secret& scalar, std::string_view point) {
  const Key own(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, bytes_of(scalar.reveal()), scalar.reveal().size()),
      EVP_PKEY_free);
  const Key other(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, bytes_of(point), point.size()), EVP_PKEY_free);
  if (!own || !other) return std::nullopt;
  const KeyContext context(EVP_PKEY_CTX_new(own.get(), nullptr), EVP_PKEY_CTX_free);
  std::string shared(kKeyBytes, '\0');
  std::size_t length = shared.size();
  const bool done = context && EVP_PKEY_derive_init(context.get()) == 1 &&
                    EVP_PKEY_derive_set_peer(context.get(), other.get()) == 1 &&
                    EVP_PKEY_derive(context.get(), bytes_of(shared), &length) == 1 && length == kKeyBytes;
  if (!done || shared == std::string(kKeyBytes, '\0')) return std::nullopt;
  return Secret(std::move(shared));
}

std::optional<std::string> x25519_public(const Secret& scalar) {
  const Key own(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, bytes_of(scalar.reveal()), scalar.reveal().size()),
      EVP_PKEY_free);
  std::string point(kKeyBytes, '\0');
  std::size_t length = point.size();
  if (!own || EVP_PKEY_get_raw_public_key(own.get(), bytes_of(point), &length) != 1) return std::nullopt;
  return point;
}

Result<Value> open_value(const Secret& data_key, std::string_view text, std::string_view path) {
  if (text.empty()) return text_value("");
  constexpr std::string_view kBegin = "ENC[AES256_GCM,";
  if (!text.starts_with(kBegin) || !text.ends_with(']'))
    return fail(Kind::invalid, "a value that should be encrypted is not");
  text = text.substr(kBegin.size() - 1, text.size() - kBegin.size());  // from the comma on, without the bracket
  std::array<std::string, 3> bytes;
  constexpr std::string_view kParts[] = {",data:", ",iv:", ",tag:"};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto part = part_of(text, kParts[i]);
    auto decoded = part ? base64_decode(*part) : std::nullopt;
    if (!decoded) return fail(Kind::invalid, "an encrypted value is damaged");
    bytes[i] = *std::move(decoded);
  }
  const auto type = part_of(text, ",type:");
  auto plain = open_aes_gcm(data_key, bytes[1], bytes[0], bytes[2], path);
  if (!type || !plain) return fail(Kind::invalid, "an encrypted value is damaged, or stands under another key");
  auto value = typed(*std::move(plain), *type);
  if (!value) return fail(Kind::conflict, "a value is of a type that only sops reads");
  return *std::move(value);
}

}  // namespace windlass::sops
