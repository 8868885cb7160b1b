#include "sigstore/verdict.h"

#include <fmt/format.h>

#include "base/text.h"

namespace windlass {

std::string Verdict::reason() const {
  if (trusted) return "";
  std::vector<std::string> reasons;
  for (const auto& step : steps) {
    if (step.passed) continue;
    const auto text = fmt::format("{}: {}", step.check, step.detail);
    reasons.push_back(step.rule.empty() ? text : fmt::format("{}: {}", step.rule, text));
  }
  return reasons.empty() ? "no rule of the policy fits this signature" : join(reasons, "; ");
}

bool Steps::take(std::string_view check, const Result<std::string>& outcome) {
  verdict_.steps.push_back(
      {rule_, std::string(check), outcome.has_value(), printable(outcome ? *outcome : outcome.error().message)});
  return outcome.has_value();
}

void Steps::trust() {
  verdict_.trusted = true;
  verdict_.by = rule_;
}

}  // namespace windlass
