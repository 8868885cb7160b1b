// The hash by which changes to files are found: several times cheaper than SHA-256, and nobody without the key can make
// two contents that look the same.
//
// It is HMAC-SHA256 of the GMAC (NIST SP 800-38D, AES-128) of the content. With one IV for all, GMAC is a universal
// hash: two contents chosen without knowing its key collide with a chance below 2^-90, whatever their size. Its own
// output would give the key away bit by bit; behind the HMAC it tells nothing (Carter-Wegman).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/secret.h"

namespace windlass {

// One object per thread.
class ContentHash {
 public:
  explicit ContentHash(const Secret& key);  // of this installation, any length
  ~ContentHash();
  ContentHash(ContentHash&&) noexcept;
  ContentHash& operator=(ContentHash&&) noexcept;

  void update(std::string_view bytes);
  // The hash of all bytes so far as 64 lower-case hexadecimal digits; what comes then is another content.
  std::string finish_hex();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

std::string content_hash_hex(const Secret& key, std::string_view bytes);

}  // namespace windlass
