#include "oci/link_header.h"

#include <algorithm>
#include <string_view>

#include "base/text.h"

namespace windlass {
namespace {

// `rel="next"` or `rel=next`; several relations may share one parameter.
bool is_next(std::string_view parameter) {
  const auto equals = parameter.find('=');
  if (equals == parameter.npos || lower(trim(parameter.substr(0, equals))) != "rel") return false;
  auto value = trim(parameter.substr(equals + 1));
  if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"')) value = value.substr(1, value.size() - 2);
  const auto relations = split(value, ' ');
  return std::any_of(relations.begin(), relations.end(), [](auto each) { return lower(each) == "next"; });
}

// Links look like `<target>; parameter; parameter, <target>; …`; a target holds no '>'.
std::optional<std::string> next_in(std::string_view value) {
  while (true) {
    const auto open = value.find('<');
    const auto close = value.find('>', open);
    if (open == value.npos || close == value.npos) return std::nullopt;
    const auto target = value.substr(open + 1, close - open - 1);
    value.remove_prefix(close + 1);
    const auto parameters = split(value.substr(0, value.find('<')), ';');
    const auto without_comma = [](std::string_view text) { return text.substr(0, text.find(',')); };
    if (std::any_of(parameters.begin(), parameters.end(), [&](auto each) { return is_next(without_comma(each)); }))
      return std::string(target);
  }
}

}  // namespace

std::optional<std::string> next_page_of(const HttpResponse& response) {
  for (const auto& header : response.headers)
    if (same_name(header.name, "Link"))
      if (auto target = next_in(header.value)) return target;
  return std::nullopt;
}

}  // namespace windlass
