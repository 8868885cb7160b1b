// External secrets in a run: their values are there before anything is resolved, let alone touched (secrets/E5, E6).
#include <fmt/format.h>

#include "deploy/pipeline_run.h"

namespace windlass {
namespace {

// Of one run. A store is everybody's: one artifact must not use up what it lets be asked.
constexpr std::size_t kReferencesMax = 1'000;

bool needs_secrets(const PreparedStack& stack) {
  return !stack.config.external_secrets.empty() && !stack.config.destroy.enabled && stack.filtered_because.empty();
}

}  // namespace

// All stacks of the run in one question. A stack whose secrets cannot be had has failed.
void Pipeline::fetch_secrets(Run& run) {
  std::set<std::string> references;
  for (const auto& stack : run.stacks)
    if (needs_secrets(stack))
      for (const auto& [name, reference] : stack.config.external_secrets) references.insert(reference.text);
  if (references.empty()) return;
  if (references.size() > kReferencesMax) {
    const auto text =
        fmt::format("external_secrets: {} different references, at most {}", references.size(), kReferencesMax);
    for (std::size_t index = 0; index < run.stacks.size(); ++index)
      if (!run.errors[index] && needs_secrets(run.stacks[index])) run.errors[index] = Error{Kind::invalid, text};
    return;
  }
  const auto answers =
      run.back_to ? secrets_.fetch_or_last(references, run.deadline) : secrets_.fetch(references, run.deadline);
  for (std::size_t index = 0; index < run.stacks.size(); ++index) {
    auto& stack = run.stacks[index];
    if (run.errors[index] || !needs_secrets(stack)) continue;
    auto values = secrets_.is_set_up() ? secret_values(stack.config.external_secrets, answers)
                                       : fail(Kind::invalid, std::string(kNoProvider));
    if (!values) {
      run.errors[index] = Error{values.error().kind, run.log.masked(values.error().message)};
      continue;
    }
    stack.external_secrets.values = *std::move(values);
    for (const auto& [name, reference] : stack.config.external_secrets) {
      if (secrets_.is_one_time(reference.text)) stack.external_secrets.one_time.insert(name);
      if (stack.external_secrets.values.at(name).empty())
        run.log_of(stack.config.id()).warning("external secret is empty", {{"variable", name}});
    }
  }
}

// A name or a path of the model may hold a value.
void Pipeline::mask_plan(const Run& run, PreparedStack& stack) {
  if (stack.secrets().empty()) return;
  const auto mask = [&](std::string& text) { text = run.log.masked(text); };
  std::ranges::for_each(stack.plan.reasons, mask);
  for (auto& service : stack.plan.services) std::ranges::for_each(service.reasons, mask);
}

}  // namespace windlass
