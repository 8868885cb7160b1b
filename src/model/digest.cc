#include "model/digest.h"

#include <fmt/format.h>

#include "base/text.h"

namespace windlass {

Result<Digest> Digest::parse(std::string_view text) {
  if (text.empty()) return fail(Kind::invalid, "is required");
  const auto colon = text.find(':');
  if (colon == text.npos || colon == 0 || colon + 1 == text.size())
    return fail(Kind::invalid, "expected <algorithm>:<hex>");
  const auto algorithm = text.substr(0, colon);
  const auto hex = text.substr(colon + 1);
  if (algorithm != "sha256" && algorithm != "sha512")
    return fail(Kind::invalid,
                fmt::format("unsupported algorithm \"{}\", expected sha256 or sha512", printable(algorithm, 32)));
  const std::size_t want = algorithm == "sha256" ? 64 : 128;
  if (hex.size() != want)
    return fail(Kind::invalid, fmt::format("{} needs {} hex characters, got {}", algorithm, want, hex.size()));
  if (const auto at = hex.find_first_not_of("0123456789abcdef"); at != hex.npos)
    return fail(Kind::invalid, fmt::format("character '{}' at position {} is not lowercase hexadecimal",
                                           printable(hex.substr(at, 1)), at + 1));
  return Digest(text);
}

Digest Digest::of_sha256_hex(std::string_view hex) { return Digest("sha256:" + std::string(hex)); }

}  // namespace windlass
