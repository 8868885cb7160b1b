// JMESPath expressions, which references may complete (secrets/V1): the first line is one, the rest a document.
#include "fuzz/fuzz.h"
#include "secrets/jmespath.h"
#include "secrets/jmespath_functions.h"

namespace windlass {
namespace {

void check(std::string_view expression, const json::value& document) {
  const auto path = JmesPath::parse(expression);
  if (!path) return require_printable(path.error().message);
  const auto found = path->search(document);
  if (!found) return require_printable(found.error().message);
  const auto again = path->search(document);
  require(again && jmes_text(*again) == jmes_text(*found), "the same search finds the same");
  require(parse_json(jmes_text(*found)).has_value(), "the text of what was found is JSON");
  const auto piped = JmesPath::parse("@ | (" + std::string(expression) + ")");
  if (!piped) return;  // too long, or too deep
  const auto same = piped->search(document);
  require(!same || jmes_text(*same) == jmes_text(*found), "a pipe from the whole document changes nothing");
}

}  // namespace

void fuzz(std::string_view input) {
  const auto end = std::min(input.find('\n'), input.size());
  const auto document = parse_json(input.substr(std::min(end + 1, input.size())));
  check(input.substr(0, end), document ? *document : json::value{{"a", {1, "b", nullptr, {{"c", 1.5}}}}});
}

}  // namespace windlass
