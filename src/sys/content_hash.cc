#include "sys/content_hash.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <stdexcept>

#include "base/text.h"
#include "sys/crypto.h"

namespace windlass {
namespace {

constexpr std::size_t kKeyBytes = 16;
constexpr std::size_t kTagBytes = 16;

// Fetched once: looking an algorithm up costs more than hashing a small file.
EVP_MAC* gmac_method() {
  static EVP_MAC* const method = EVP_MAC_fetch(nullptr, "GMAC", nullptr);
  return method;
}

void require(bool done) {
  if (!done) throw std::runtime_error("OpenSSL refused a basic operation");
}

// The key is used for other hashes too, some of them of foreign text; what they show must not be what is hashed with
// here.
Secret own_key(const Secret& key) {
  const auto derived = HmacSha256(key).sign("windlass content hash");
  return Secret(std::string(derived.begin(), derived.end()));
}

struct FreeContext {
  void operator()(EVP_MAC_CTX* context) const noexcept { EVP_MAC_CTX_free(context); }
};

}  // namespace

struct ContentHash::Context {
  explicit Context(const Secret& key) : outer(own_key(key)) {
    const auto derived = outer.sign("inner key");
    char cipher[] = "AES-128-GCM";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher, 0), iv_param(),
                                 OSSL_PARAM_construct_end()};
    require(EVP_MAC_init(inner.get(), derived.data(), kKeyBytes, params) == 1);
  }

  // The same key, the same IV, nothing hashed yet.
  void start_over() {
    const OSSL_PARAM params[] = {iv_param(), OSSL_PARAM_construct_end()};
    require(EVP_MAC_init(inner.get(), nullptr, 0, params) == 1);
  }

  OSSL_PARAM iv_param() { return OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_IV, iv.data(), iv.size()); }

  std::array<unsigned char, 12> iv{};
  std::unique_ptr<EVP_MAC_CTX, FreeContext> inner{EVP_MAC_CTX_new(gmac_method())};
  HmacSha256 outer;
};

ContentHash::ContentHash(const Secret& key) : context_(std::make_unique<Context>(key)) {}
ContentHash::~ContentHash() = default;
ContentHash::ContentHash(ContentHash&&) noexcept = default;
ContentHash& ContentHash::operator=(ContentHash&&) noexcept = default;

void ContentHash::update(std::string_view bytes) {
  require(EVP_MAC_update(context_->inner.get(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()) ==
          1);
}

std::string ContentHash::finish_hex() {
  char tag[kTagBytes];
  std::size_t size = 0;
  require(EVP_MAC_final(context_->inner.get(), reinterpret_cast<unsigned char*>(tag), &size, sizeof tag) == 1);
  context_->start_over();
  const auto hash = context_->outer.sign({tag, size});
  return to_hex({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

std::string content_hash_hex(const Secret& key, std::string_view bytes) {
  ContentHash hash(key);
  hash.update(bytes);
  return hash.finish_hex();
}

}  // namespace windlass
