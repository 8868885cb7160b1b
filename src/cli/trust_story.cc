#include "cli/trust_story.h"

#include <fmt/format.h>

#include "cli/verdict_text.h"

namespace windlass {
namespace {

std::string counted(std::size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string tell(const ExaminedSignature& signature) {
  if (signature.unread) return fmt::format("  cannot tell  {}\n", signature.unread->message);
  std::string text;
  for (const auto& step : signature.verdict.steps) text += "  " + step_text(step);
  return text;
}

}  // namespace

std::string describe(const TrustPolicy& policy) {
  return fmt::format("{}, {}, transparency log {}", counted(policy.public_keys.size(), "public key", "public keys"),
                     counted(policy.keyless_identities.size(), "keyless identity", "keyless identities"),
                     policy.ignore_tlog ? "not asked for" : "checked");
}

std::string tell(const TrustReport& report, const TrustPolicy& policy) {
  std::string text;
  for (std::size_t i = 0; i < report.signatures.size(); ++i) {
    const auto& candidate = report.signatures[i].candidate;
    text += fmt::format("signature {}: {} at {}\n", i + 1,
                        candidate.form == SignatureCandidate::Form::bundle ? "Sigstore bundle" : "simple signing",
                        candidate.place);
    text += tell(report.signatures[i]);
  }
  for (const auto& cause : report.unread) text += fmt::format("cannot tell: {}\n", cause.message);
  if (report.left_out > 0) text += fmt::format("{} more signatures were not looked at\n", report.left_out);
  if (const auto* good = report.trusted_by()) return text + fmt::format("trusted by {}\n", good->verdict.by);
  return text + fmt::format("NOT trusted: {}\n", report.failure(policy).message);
}

}  // namespace windlass
