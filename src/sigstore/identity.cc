#include "sigstore/identity.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace windlass {
namespace {

constexpr std::int64_t kRegexpMemoryMax = 1 << 20;  // an expression that needs more is refused, not run slowly

re2::RE2::Options quiet() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kRegexpMemoryMax);
  return options;
}

bool matches(const KeylessIdentity& identity, const std::string& subject) {
  if (identity.subject_regexp.empty()) return subject == identity.subject;
  return re2::RE2::PartialMatch(subject, re2::RE2(identity.subject_regexp, quiet()));
}

// The bytes at the front that RE2 reads as one: a quotation, an escaped character, a class; else a single one.
std::size_t token_bytes(std::string_view expression) {
  const auto until = [&](std::string_view end, std::size_t from) {
    const auto at = expression.find(end, from);
    return at == expression.npos ? expression.size() : at + end.size();
  };
  if (expression.starts_with("\\Q")) return until("\\E", 2);
  if (expression.starts_with('\\')) return std::min<std::size_t>(2, expression.size());
  if (!expression.starts_with('[')) return 1;
  std::size_t at = expression.substr(1).starts_with('^') ? 2 : 1;
  if (expression.substr(at).starts_with(']')) ++at;  // the first one is of the class
  while (at < expression.size() && expression[at] != ']') {
    const auto rest = expression.substr(at);
    if (rest.starts_with('\\'))
      at += 2;
    else
      at = rest.starts_with("[:") && rest.find(":]") != rest.npos ? until(":]", at) : at + 1;
  }
  return std::min(at + 1, expression.size());
}

struct Anchors {
  bool are_complete = true;  // each alternative begins with ^ and ends with $
  bool has_alternatives = false;
};

// Alternatives within groups are no matter: what surrounds them is anchored.
Anchors anchors_of(std::string_view expression) {
  Anchors anchors;
  int depth = 0;
  bool begins = false, ends = false, is_first = true;  // of the present alternative
  while (!expression.empty()) {
    const auto token = expression.substr(0, token_bytes(expression));
    expression.remove_prefix(token.size());
    if (token == "|" && depth == 0) {
      anchors.has_alternatives = true;
      anchors.are_complete = anchors.are_complete && begins && ends;
      begins = ends = false;
      is_first = true;
      continue;
    }
    if (token == "(") ++depth;
    if (token == ")") --depth;
    if (std::exchange(is_first, false)) begins = token == "^";
    ends = token == "$" && depth == 0;
  }
  anchors.are_complete = anchors.are_complete && begins && ends;
  return anchors;
}

}  // namespace

Status check_identity(const KeylessIdentity& identity) {
  if (identity.issuer.empty()) return fail(Kind::invalid, "issuer: is required");
  if (identity.subject.empty() == identity.subject_regexp.empty())
    return fail(Kind::invalid, "want exactly one of subject and subject_regexp");
  if (identity.subject_regexp.empty()) return {};
  if (const re2::RE2 expression(identity.subject_regexp, quiet()); !expression.ok())
    return fail(Kind::invalid, fmt::format("subject_regexp: {}", printable(expression.error(), 200)));
  return {};
}

std::optional<std::string> identity_warning(const KeylessIdentity& identity) {
  const auto& expression = identity.subject_regexp;
  const auto anchors = anchors_of(expression);
  if (expression.empty() || anchors.are_complete) return std::nullopt;
  return fmt::format("subject_regexp '{}' matches anywhere in a subject: begin {} with ^ and end it with $",
                     printable(expression, 200), anchors.has_alternatives ? "each alternative" : "it");
}

std::string name_of(const KeylessIdentity& identity) {
  return fmt::format("identity {} {}", identity.issuer,
                     identity.subject_regexp.empty() ? identity.subject : identity.subject_regexp);
}

Result<std::string> match_identity(const KeylessIdentity& identity, const Certificate& certificate) {
  if (const auto status = check_identity(identity); !status) return tl::unexpected(status.error());
  if (const auto issuer = certificate.oidc_issuer(); issuer != identity.issuer)
    return fail(Kind::denied, fmt::format("want issuer '{}', found '{}'", identity.issuer, printable(issuer, 200)));
  const auto subjects = certificate.subjects();
  for (const auto& subject : subjects)
    if (matches(identity, subject)) return fmt::format("issued to {}", printable(subject, 500));
  return fail(Kind::denied, fmt::format("want {} '{}', found '{}'",
                                        identity.subject_regexp.empty() ? "subject" : "a subject that matches",
                                        identity.subject_regexp.empty() ? identity.subject : identity.subject_regexp,
                                        printable(join(subjects, "', '"), 500)));
}

}  // namespace windlass
