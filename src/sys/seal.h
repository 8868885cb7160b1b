// Text at rest that nobody can read without the installation's key, and that nobody can change unnoticed: AES-256-GCM
// (NIST SP 800-38D) with a random nonce per text, as base64.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace windlass {

class Seal {
 public:
  // `key`: of any length. `purpose` sets apart what one key is used for.
  Seal(const Secret& key, std::string_view purpose);

  std::string close(std::string_view text) const;
  // Kind::invalid when the text is not one that this seal has closed.
  Result<std::string> open(std::string_view sealed) const;

 private:
  Secret key_;  // 32 bytes
};

}  // namespace windlass
