#include "sigstore/identity.h"

#include <fmt/format.h>
#include <re2/re2.h>

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
  if (expression.empty() || (expression.starts_with('^') && expression.ends_with('$'))) return std::nullopt;
  return fmt::format("subject_regexp '{}' matches anywhere in a subject: begin it with ^ and end it with $",
                     printable(expression, 200));
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
