#include "cli/verdict_text.h"

#include <fmt/format.h>

namespace windlass {

std::string verdict_text(const Verdict& verdict) {
  std::string text;
  for (const auto& step : verdict.steps)
    text += fmt::format("{}   {}{}{}: {}\n", step.passed ? "ok" : "no", step.rule, step.rule.empty() ? "" : ": ",
                        step.check, step.detail);
  return text + (verdict.trusted ? fmt::format("trusted by {}\n", verdict.by) : "not trusted\n");
}

}  // namespace windlass
