// The end of a run: what people are told of it, and what later runs must know.
#include <fmt/format.h>

#include "base/text.h"
#include "deploy/pipeline_run.h"

namespace windlass {
namespace {

StackResult result_of(const StackId& stack, RunStatus status, std::string message) {
  return {.name = stack.name, .context = stack.context, .status = status, .message = std::move(message)};
}

}  // namespace

// The stacks' ends as one end of the job (webhook/R21, R33, X5, X6).
JobOutcome Pipeline::conclude(const Run& run) {
  JobOutcome outcome;
  std::vector<std::string> errors, reasons;
  std::map<std::string, bool> passes;  // by context on which a stack failed
  for (std::size_t i = 0; i < run.stacks.size(); ++i) {
    const auto& stack = run.stacks[i];
    const auto id = stack.config.id();
    if (const auto& error = run.errors[i]) {
      errors.push_back(fmt::format("failed to deploy stack {}: {}", id.str(), error->message));
      auto& passing = passes.try_emplace(id.context, false).first->second;
      passing = passing || error->kind == Kind::unavailable;
      outcome.stacks.push_back(result_of(id, RunStatus::failed, error->message));
    } else if (run.touched && stack.deploys()) {
      outcome.stacks.push_back(result_of(id, RunStatus::succeeded, stack.plan.str()));
    } else {
      const auto reason = !stack.filtered_because.empty()    ? stack.filtered_because
                          : stack.config.destroy.enabled     ? "nothing to take down"
                          : run.any_failed() && !run.touched ? "not deployed, because another stack of the run failed"
                                                             : "no changes";
      reasons.push_back(fmt::format("{}: {}", id.str(), reason));
      outcome.stacks.push_back(result_of(id, RunStatus::skipped, reason));
    }
  }
  if (!errors.empty()) {
    outcome.status = RunStatus::failed;
    outcome.failed_step = run.failing_step;
    // An engine that is away says nothing for a release that is bad on another one.
    outcome.passing_fault = std::ranges::all_of(passes, [](const auto& context) { return context.second; });
    outcome.message = join(errors, "\n");
    return outcome;
  }
  keep_settled(run);
  keep_rules(run);
  const auto deployed = run.stacks.size() - reasons.size();
  outcome.status = deployed == 0 ? RunStatus::skipped : RunStatus::succeeded;
  outcome.message = run.stacks.empty() ? "no stacks found"
                    : deployed == 0    ? join(reasons, "; ")
                                       : "job completed successfully";
  if (deployed != 0 && !run.own_path.empty()) outcome.message += ", with its files in " + run.own_path;
  if (deployed != 0 && !reasons.empty())
    outcome.message +=
        fmt::format(": {} deployed, {} skipped ({})", deployed, reasons.size(), fmt::join(reasons, "; "));
  return outcome;
}

// Keeps what unchanged() needs. A stack that asks for something at every run (force_…) is never unchanged.
void Pipeline::keep_settled(const Run& run) {
  if (run.leaves_obsolete) return;
  if (!run.only.name.empty()) return keep_settled_stack(run);
  SettledRun settled{.key = run.key};
  for (const auto& stack : run.stacks) {
    if (stack.config.force_recreate || stack.config.force_image_pull) return;
    SettledStack end{.id = stack.config.id(),
                     .skipped_because = stack.filtered_because,
                     .services = stack.services,
                     .is_looping = stack.is_looping,
                     .keeps_orphans = !stack.config.remove_orphans,
                     .secrets = {}};
    // Of a stack that is left alone for it, another value again is no news.
    if (!stack.is_looping) end.secrets = settled_.stamped(stack.config.external_secrets, stack.external_secrets);
    auto record = releases_.stack(end.id);
    if (record && *record) end.release_of = (*record)->release_of;
    settled.stacks.push_back(std::move(end));
  }
  if (auto kept = settled_.end_well(run.job.request, settled); !kept)
    run.log.warning("state of the run was not kept", {{"error", kept.error().message}});
}

// A repair of one stack settles nothing about the others.
void Pipeline::keep_settled_stack(const Run& run) {
  auto record = releases_.stack(run.only);
  if (!record || !*record) return;
  if (auto kept = settled_.replace_containers(run.job.request, run.only, (*record)->release_of); !kept)
    run.log.warning("state of the run was not kept", {{"error", kept.error().message}});
}

// A stack that nothing was done to may have other rules now, and is of this digest.
void Pipeline::keep_rules(const Run& run) {
  for (const auto& stack : run.stacks)
    if (!stack.config.destroy.enabled && stack.filtered_because.empty())
      if (auto kept = releases_.keep_as_it_is(stack.config.id(), *run.digest, rules_of(stack.config)); !kept)
        run.log_of(stack.config.id()).warning("state of the stack was not kept", {{"error", kept.error().message}});
}

void Pipeline::remember(const Run& run, bool deployed) {
  if (auto kept = releases_.remember(run.lane, *run.digest, deployed); !kept)
    run.log.error("digest was not remembered", {{"error", kept.error().message}});
}

}  // namespace windlass
