#include "base/mask_forms.h"

#include <string>
#include <string_view>

#include "base/text.h"

namespace windlass {
namespace {

// As JSON and Go's %q write it.
std::string escaped(std::string_view text) {
  constexpr std::string_view kEscaped = "\"\\\n\r\t", kLetters = "\"\\nrt";
  std::string result;
  for (const char c : text) {
    const auto at = kEscaped.find(c);
    if (at != kEscaped.npos) result += '\\';
    result += at == kEscaped.npos ? c : kLetters[at];
  }
  return result;
}

void add(std::string_view text, std::vector<Secret>& forms) {
  forms.emplace_back(std::string(text));
  for (auto other : {escaped(text), printable(text, 4 * text.size())})
    if (other != text && other != forms.back().reveal()) forms.emplace_back(std::move(other));
}

}  // namespace

std::vector<Secret> mask_forms(const Secret& secret) {
  std::vector<Secret> forms;
  const auto whole = trim(secret.reveal());
  if (whole.size() < kMaskBytesMin) return forms;
  add(whole, forms);
  if (whole.find('\n') == whole.npos) return forms;
  for (const auto line : split(whole, '\n'))
    if (const auto part = trim(line); part.size() >= kMaskLineBytesMin && forms.size() < kMaskFormsMax)
      add(part, forms);
  return forms;
}

}  // namespace windlass
