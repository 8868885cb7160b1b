// References of 1Password: op://vault/item/[section/]field[?attribute=otp] (secrets/V2.3).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace windlass {

struct OnePasswordReference {
  std::string vault, item;  // titles or ids, as text: %20 is a space
  std::string section;      // "": of any section
  std::string field;
  bool is_otp = false;  // the one-time password of the field rather than its value
};

// Kind::invalid names the reference and what is wrong with it.
Result<OnePasswordReference> parse_onepassword_reference(std::string_view text);

}  // namespace windlass
