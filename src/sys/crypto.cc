#include "sys/crypto.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <sys/random.h>

#include <chrono>
#include <mutex>
#include <stdexcept>

#include "base/text.h"

namespace windlass {
namespace {

struct FreeDigestContext {
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};
struct FreeMacContext {
  void operator()(EVP_MAC_CTX* context) const noexcept { EVP_MAC_CTX_free(context); }
};

// OpenSSL refuses these calls only when memory runs out or the library is broken: nothing a caller could handle.
void require(bool done) {
  if (!done) throw std::runtime_error("OpenSSL refused a basic operation");
}

std::string_view view(const unsigned char* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

// Fetched once: looking an algorithm up costs more than hashing a small body.
const EVP_MD* sha256_method() {
  static EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return method;
}

EVP_MAC* hmac_method() {
  static EVP_MAC* const method = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  return method;
}

std::string hash_hex(std::string_view bytes, const EVP_MD* method) {
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  require(EVP_Digest(bytes.data(), bytes.size(), hash, &size, method, nullptr) == 1);
  return to_hex(view(hash, size));
}

}  // namespace

struct Sha256::Context {
  std::unique_ptr<EVP_MD_CTX, FreeDigestContext> digest{EVP_MD_CTX_new()};
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  require(EVP_DigestInit_ex(context_->digest.get(), sha256_method(), nullptr) == 1);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) {
  require(EVP_DigestUpdate(context_->digest.get(), bytes.data(), bytes.size()) == 1);
}

std::string Sha256::finish_hex() {
  unsigned char hash[32];
  require(EVP_DigestFinal_ex(context_->digest.get(), hash, nullptr) == 1);
  return to_hex(view(hash, sizeof hash));
}

std::string sha256_hex(std::string_view bytes) { return hash_hex(bytes, sha256_method()); }
std::string sha512_hex(std::string_view bytes) { return hash_hex(bytes, EVP_sha512()); }

struct HmacSha256::Context {
  std::unique_ptr<EVP_MAC_CTX, FreeMacContext> keyed{EVP_MAC_CTX_new(hmac_method())};
};

HmacSha256::HmacSha256(const Secret& key) : context_(std::make_unique<Context>()) {
  char hash[] = "SHA256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, hash, 0),
                               OSSL_PARAM_construct_end()};
  const auto& text = key.reveal();
  // An empty key would mean "keep the old key" to OpenSSL; a pointer that is not null says it is really empty.
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.empty() ? "" : text.data());
  require(EVP_MAC_init(context_->keyed.get(), bytes, text.size(), params) == 1);
}
HmacSha256::~HmacSha256() = default;
HmacSha256::HmacSha256(HmacSha256&&) noexcept = default;
HmacSha256& HmacSha256::operator=(HmacSha256&&) noexcept = default;

Sha256Bytes HmacSha256::sign(std::string_view message) {
  Sha256Bytes result{};
  std::size_t size = 0;
  auto* context = context_->keyed.get();
  require(EVP_MAC_init(context, nullptr, 0, nullptr) == 1);  // starts over with the key that it holds
  require(EVP_MAC_update(context, reinterpret_cast<const unsigned char*>(message.data()), message.size()) == 1);
  require(EVP_MAC_final(context, result.data(), &size, result.size()) == 1);
  return result;
}

std::string hmac_sha1(const Secret& key, std::string_view message) {
  std::string result(20, '\0');
  unsigned int size = 0;
  require(::HMAC(EVP_sha1(), key.reveal().data(), static_cast<int>(key.reveal().size()),
                 reinterpret_cast<const unsigned char*>(message.data()), message.size(),
                 reinterpret_cast<unsigned char*>(result.data()), &size) != nullptr);
  return result;
}

bool equal_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string base64_encode(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4, '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
                  static_cast<int>(bytes.size()));
  return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  if (text.size() % 4 == 1) return std::nullopt;
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t held = 0;
  int held_bits = 0;
  for (const char c : text) {
    const auto value = alphabet.find(c);
    if (value == alphabet.npos) return std::nullopt;
    held = held << 6 | static_cast<std::uint32_t>(value);
    held_bits += 6;
    if (held_bits < 8) continue;
    held_bits -= 8;
    bytes += static_cast<char>(held >> held_bits & 0xFF);
  }
  return bytes;
}

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  for (std::size_t have = 0; have < count;) {
    const auto got = ::getrandom(bytes.data() + have, count - have, 0);
    if (got < 0 && errno != EINTR) throw std::runtime_error("the system gives no random bytes");
    if (got > 0) have += static_cast<std::size_t>(got);
  }
  return bytes;
}

std::string new_uuid_v7() {
  // Milliseconds, then 12 bits that count up inside a millisecond: RFC 9562, 6.2, method 1. A clock that goes back
  // does not take the ids back with it.
  static std::mutex mutex;
  static std::uint64_t last = 0;  // milliseconds << 12 | counter
  const auto now = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                                  std::chrono::system_clock::now().time_since_epoch())
                                                  .count())
                   << 12;
  std::uint64_t stamp = 0;
  {
    const std::lock_guard lock(mutex);
    last = std::max(last + 1, now);
    stamp = last;
  }
  std::string bytes = random_bytes(16);
  for (int i = 0; i < 6; ++i) bytes[i] = static_cast<char>(stamp >> (12 + 8 * (5 - i)) & 0xFF);
  bytes[6] = static_cast<char>(0x70 | (stamp >> 8 & 0x0F));
  bytes[7] = static_cast<char>(stamp & 0xFF);
  bytes[8] = static_cast<char>(0x80 | (bytes[8] & 0x3F));
  const auto hex = to_hex(bytes);
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4),
                     hex.substr(20));
}

}  // namespace windlass
