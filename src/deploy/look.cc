// What a deployment would do (deploy/S20), by the same steps up to the plan.
#include <fmt/format.h>

#include "deploy/model_changes.h"
#include "deploy/pipeline_run.h"
#include "sys/crypto.h"

namespace windlass {
namespace {

Error error_of(const JobOutcome& outcome) {
  return {outcome.passing_fault ? Kind::unavailable : Kind::invalid, outcome.run_message()};
}

}  // namespace

Result<PlanReport> Pipeline::look(const Job& job, std::string_view archive, const Deadline& deadline) {
  const TellRevision nobody = [](const std::string&) {};
  Run run{.job = job,
          .tell_revision = nobody,
          .deadline = deadline,
          .log = log_.with({{"job_id", job.id}, {"artifact", job.request.artifact}, {"target", job.request.target}}),
          .lane = lane_of(job.request),
          .archive = archive,
          .is_look = true};
  if (auto settled = settle_look(run); !settled) return tl::unexpected(settled.error());

  const Staging staging(options_.data_dir / ".windlass/oci/staging" / job.id);
  auto ready = get_ready(run, staging.folder());
  if (!ready) {
    auto error = error_of(ready.error());
    return fail(error.kind, std::move(error.message));
  }
  const auto host_root = options_.host_data_dir + "/" + ready->live_path;
  fetch_secrets(run);
  for_each_stack(run, [&](PreparedStack& stack) { return resolve(run, stack, ready->tree, host_root); });
  for_each_stack(run, [&](PreparedStack& stack) {
    if (!stack.filtered_because.empty()) return Status();
    return stack.config.destroy.enabled ? preparer_.plan_removal(job, stack, run.deadline)
                                        : preparer_.plan(job, *run.digest, stack, false, run.deadline);
  });
  PlanReport report{.artifact = job.request.artifact, .digest = archive.empty() ? run.digest->str() : ""};
  for (auto& stack : run.stacks) mask_plan(run, stack);
  for (std::size_t index = 0; index < run.stacks.size(); ++index) report.stacks.push_back(report_on(run, index));
  return report;
}

// What the artifact is now. An archive will have another digest once it is an artifact: that of its bytes stands for
// it.
Status Pipeline::settle_look(Run& run) {
  if (!run.archive.empty()) {
    run.digest = Digest::of_sha256_hex(sha256_hex(run.archive));
    return {};
  }
  auto settled = source_.settle(run.job, LaneHistory{}, run.deadline);
  if (!settled) return while_doing(error_text(FailedStep::resolve), settled.error());
  if (!settled->deploy) return fail(Kind::invalid, settled->reason);
  run.digest = settled->deploy;
  return {};
}

StackReport Pipeline::report_on(const Run& run, std::size_t index) {
  const auto& stack = run.stacks[index];
  StackReport report{.name = stack.config.name, .plan = stack.plan};
  if (run.errors[index]) {
    report.decision = "failed";
    report.reason = run.errors[index]->message;
  } else if (!stack.filtered_because.empty()) {
    report.decision = "skipped";
    report.reason = stack.filtered_because;
  } else if (!stack.plan.changes_anything()) {
    report.decision = "no changes";
  } else {
    report.decision = stack.config.destroy.enabled ? "destroy" : "deploy";
  }
  if (report.decision != "deploy") return report;
  const auto before = releases_.last_model(stack.config.name);
  if (before && *before) report.changes = changes_between(**before, preparer_.redacted_model(stack));
  return report;
}

}  // namespace windlass
