#include "model/target.h"

#include <algorithm>

namespace windlass {
namespace {

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

}  // namespace

bool is_target(std::string_view target) {
  const auto fits = [](char c) { return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-'; };
  return target.empty() ||
         (target.size() <= 128 && is_letter_or_digit(target[0]) && std::all_of(target.begin(), target.end(), fits));
}

}  // namespace windlass
