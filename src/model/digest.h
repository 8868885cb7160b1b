// A content digest as registries write it: "sha256:" + 64 or "sha512:" + 128 lower-case hexadecimal digits
// (OCI image-spec, descriptor.md, "Digests"; webhook/V3 to V7).
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/result.h"

namespace windlass {

class Digest {
 public:
  // The text must be trimmed already. Kind::invalid with the rule that is broken, without naming the field.
  static Result<Digest> parse(std::string_view text);
  // "sha256:" + the digits of a hash that we computed ourselves.
  static Digest of_sha256_hex(std::string_view hex);

  const std::string& str() const { return text_; }
  std::string_view algorithm() const { return std::string_view(text_).substr(0, text_.find(':')); }
  std::string_view hex() const { return std::string_view(text_).substr(text_.find(':') + 1); }
  auto operator<=>(const Digest&) const = default;

 private:
  explicit Digest(std::string_view text) : text_(text) {}
  std::string text_;
};

}  // namespace windlass
