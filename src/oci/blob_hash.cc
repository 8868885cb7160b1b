#include "oci/blob_hash.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include "base/text.h"

namespace windlass {

struct BlobHash::Context {
  struct Free {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> raw{EVP_MD_CTX_new()};
};

BlobHash::BlobHash(const Digest& digest) : digest_(digest), context_(std::make_unique<Context>()) {
  EVP_DigestInit_ex(context_->raw.get(), digest.algorithm() == "sha512" ? EVP_sha512() : EVP_sha256(), nullptr);
}

BlobHash::~BlobHash() = default;

void BlobHash::update(std::string_view bytes) { EVP_DigestUpdate(context_->raw.get(), bytes.data(), bytes.size()); }

std::string BlobHash::finish() {
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_DigestFinal_ex(context_->raw.get(), hash, &size);
  return fmt::format("{}:{}", digest_.algorithm(), to_hex({reinterpret_cast<const char*>(hash), size}));
}

bool matches(const Digest& digest, std::string_view bytes) {
  BlobHash hash(digest);
  hash.update(bytes);
  return hash.matches();
}

}  // namespace windlass
