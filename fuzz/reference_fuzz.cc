// Reference::parse (oci 1, reliability 7).
#include <re2/re2.h>

#include <algorithm>

#include "base/text.h"
#include "fuzz/fuzz.h"
#include "oci/reference.h"

namespace windlass {
namespace {

// The grammar as the distribution specification writes it ("Pulling manifests"), of whole values.
bool matches(const std::string& text, const re2::RE2& pattern) { return re2::RE2::FullMatch(text, pattern); }

void check_parts(const Reference& reference) {
  static const re2::RE2 kRepository("[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*");
  static const re2::RE2 kTag("[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}");
  static const re2::RE2 kRegistry("(\\[[0-9a-f:.]+\\]|[a-z0-9.-]+)(:[1-9][0-9]{0,4})?");
  require(matches(reference.repository(), kRepository), "the repository obeys the grammar");
  require(reference.repository().size() >= 2 && reference.repository().size() <= 255, "repository of 2 to 255 bytes");
  require(matches(reference.registry(), kRegistry), "the registry is a host with or without a port");
  require(reference.registry() != "docker.io", "Docker Hub has one name");
  require(reference.tag().empty() ? reference.digest().has_value() : matches(reference.tag(), kTag),
          "the tag obeys the grammar; there is one unless there is a digest");
}

void check_live_path(const Reference& reference) {
  const auto path = reference.live_path();
  require(path.find(':') == path.npos, "the live path has no ':'");
  for (const auto part : split(path, '/'))
    require(!part.empty() && part != "." && part != ".." && part.front() != '-',
            "every part of the live path is plain");
}

void check_round_trip(const Reference& reference) {
  const auto again = Reference::parse(reference.str());
  require(again.has_value(), "what was accepted is accepted in its own spelling");
  require(again->str() == reference.str() && again->source_id() == reference.source_id() &&
              again->identifier() == reference.identifier() && again->live_path() == reference.live_path(),
          "its own spelling means the same");
}

}  // namespace

void fuzz(std::string_view input) {
  const auto reference = Reference::parse(input);
  if (!reference) {
    require(reference.error().kind == Kind::invalid, "a bad reference is invalid");
    return require_printable(reference.error().message);
  }
  check_parts(*reference);
  check_live_path(*reference);
  check_round_trip(*reference);
}

}  // namespace windlass
