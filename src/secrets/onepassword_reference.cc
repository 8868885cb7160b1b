#include "secrets/onepassword_reference.h"

#include <fmt/format.h>

#include <vector>

#include "base/text.h"
#include "sys/query.h"

namespace windlass {
namespace {

constexpr std::string_view kScheme = "op://";

tl::unexpected<Error> odd(std::string_view text, std::string_view fault) {
  return fail(Kind::invalid, fmt::format("invalid secret reference \"{}\": {}", printable(text, 200), fault));
}

}  // namespace

Result<OnePasswordReference> parse_onepassword_reference(std::string_view text) {
  constexpr std::string_view form = "expected op://vault/item/[section/]field[?attribute=otp]";
  if (!text.starts_with(kScheme)) return odd(text, form);
  OnePasswordReference reference;
  auto path = text.substr(kScheme.size());
  if (const auto mark = path.rfind('?'); mark != path.npos) {
    if (path.substr(mark + 1) != "attribute=otp") return odd(text, "unsupported secret reference attribute");
    reference.is_otp = true;
    path = path.substr(0, mark);
  }
  std::vector<std::string> parts;
  for (const auto part : split(path, '/')) {
    auto plain = percent_decoded(part);
    if (!plain || plain->empty()) return odd(text, form);
    parts.push_back(*std::move(plain));
  }
  if (parts.size() < 3 || parts.size() > 4) return odd(text, form);
  reference.vault = parts[0];
  reference.item = parts[1];
  reference.section = parts.size() == 4 ? parts[2] : "";
  reference.field = parts.back();
  return reference;
}

}  // namespace windlass
