#include "secrets/bitwarden_cipher.h"

#include <openssl/evp.h>

#include <memory>
#include <vector>

#include "base/text.h"
#include "sys/crypto.h"

namespace windlass {
namespace {

constexpr std::size_t kHalf = BitwardenKey::kBytes / 2, kIvBytes = 16, kSeedBytes = 16;
constexpr std::string_view kCipher = "2.";  // AES-256-CBC with HMAC-SHA-256; others are not used here

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};

std::string mac_of(const Secret& key, std::string_view message) {
  const auto mac = HmacSha256(key).sign(message);
  return {reinterpret_cast<const char*>(mac.data()), mac.size()};
}

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

Result<Secret> aes_decrypted(std::string_view key, std::string_view iv, std::string_view data) {
  const std::unique_ptr<EVP_CIPHER_CTX, FreeContext> context(EVP_CIPHER_CTX_new());
  std::string plain(data.size() + EVP_MAX_BLOCK_LENGTH, '\0');
  auto* out = reinterpret_cast<unsigned char*>(plain.data());
  int bytes = 0, more = 0;
  const bool is_good =
      context && EVP_DecryptInit_ex(context.get(), EVP_aes_256_cbc(), nullptr, bytes_of(key), bytes_of(iv)) == 1 &&
      EVP_DecryptUpdate(context.get(), out, &bytes, bytes_of(data), static_cast<int>(data.size())) == 1 &&
      EVP_DecryptFinal_ex(context.get(), out + bytes, &more) == 1;
  if (!is_good) return fail(Kind::invalid, "the cipher text cannot be decrypted");
  plain.resize(static_cast<std::size_t>(bytes + more));
  return Secret(std::move(plain));
}

}  // namespace

Result<BitwardenToken> parse_bitwarden_token(std::string_view text) {
  constexpr auto odd = "not an access token of a machine account: expected 0.<client id>.<client secret>:<key>";
  const auto colon = text.rfind(':');
  const auto parts = split(text.substr(0, std::min(colon, text.size())), '.');
  const auto seed = colon == text.npos ? std::nullopt : base64_decode(text.substr(colon + 1));
  if (parts.size() != 3 || parts[0] != "0" || parts[1].empty() || parts[2].empty() || !seed ||
      seed->size() != kSeedBytes)
    return fail(Kind::invalid, odd);
  return BitwardenToken{std::string(parts[1]), Secret(std::string(parts[2])), Secret(*seed)};
}

// HKDF (RFC 5869): the extraction has a salt of its own, the expansion takes two rounds.
BitwardenKey BitwardenKey::of_account(const Secret& seed) {
  const Secret extracted(mac_of(Secret("bitwarden-accesstoken"), seed.reveal()));
  const std::string info = "sm-access-token";
  const auto first = mac_of(extracted, info + '\x01');
  const auto second = mac_of(extracted, first + info + '\x02');
  return BitwardenKey(Secret(first + second));
}

Result<BitwardenKey> BitwardenKey::from_bytes(std::string_view bytes) {
  if (bytes.size() != kBytes) return fail(Kind::invalid, "the key of the organisation has an odd length");
  return BitwardenKey(Secret(std::string(bytes)));
}

Result<Secret> BitwardenKey::decrypt(std::string_view text) const {
  if (!text.starts_with(kCipher)) return fail(Kind::invalid, "the cipher text is of another type than 2");
  const auto parts = split(text.substr(kCipher.size()), '|');
  if (parts.size() != 3) return fail(Kind::invalid, "the cipher text has not three parts");
  const auto iv = base64_decode(parts[0]), data = base64_decode(parts[1]), mac = base64_decode(parts[2]);
  if (!iv || !data || !mac || iv->size() != kIvBytes)
    return fail(Kind::invalid, "the cipher text has parts of an odd form");
  const Secret mac_key(bytes_.reveal().substr(kHalf));
  if (!equal_constant_time(mac_of(mac_key, *iv + *data), *mac))
    return fail(Kind::invalid, "the cipher text was made with another key");
  return aes_decrypted(std::string_view(bytes_.reveal()).substr(0, kHalf), *iv, *data);
}

}  // namespace windlass
