#include "cli/verdict_text.h"

#include <fmt/format.h>

namespace windlass {

std::string step_text(const TrustStep& step) {
  return fmt::format("{}   {}{}{}: {}\n", step.passed ? "ok" : "no", step.rule, step.rule.empty() ? "" : ": ",
                     step.check, step.detail);
}

std::string verdict_text(const Verdict& verdict) {
  std::string text;
  for (const auto& step : verdict.steps) text += step_text(step);
  return text + (verdict.trusted ? fmt::format("trusted by {}\n", verdict.by) : "not trusted\n");
}

}  // namespace windlass
