// What stands on record for the content of a file that lies decrypted in the live directory: a keyed hash, so that
// nobody who reads the state file can guess a short secret from it (secrets/B4, Q22).
#pragma once

#include <string>
#include <string_view>

#include "base/secret.h"

namespace windlass {

class PlainContent {
 public:
  explicit PlainContent(Secret key) : key_(std::move(key)) {}

  // `sha256_hex`: of the plain text. As TreeEntry::content of the file.
  std::string mark(std::string_view sha256_hex) const;
  static bool is_mark(std::string_view content) { return content.starts_with(kPrefix); }

 private:
  static constexpr std::string_view kPrefix = "decrypted:";
  Secret key_;
};

}  // namespace windlass
