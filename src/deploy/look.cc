// What a deployment would do (deploy/S20), by the same steps up to the plan.
#include <fmt/format.h>

#include <set>

#include "deploy/model_changes.h"
#include "deploy/model_paths.h"
#include "deploy/pipeline_run.h"
#include "deploy/service_inputs.h"
#include "sys/crypto.h"

namespace windlass {
namespace {

// What services use of the live directory and nobody has put there.
class MissingSources {
 public:
  MissingSources(const PreparedStack& stack, const UnpackedTree& tree, std::filesystem::path live_directory)
      : stack_(stack), tree_(tree), live_directory_(std::move(live_directory)) {}

  std::set<std::string> warnings() {
    const auto* services = object_of(stack_.model, "services");
    for (const auto& shape : stack_.services)
      if (const auto* service = services == nullptr ? nullptr : object_of(*services, shape.name)) {
        look_at_mounts(*service);
        look_at_files(*service, "secrets", "secret");
        look_at_files(*service, "configs", "config");
      }
    return std::move(warnings_);
  }

 private:
  void look_at_mounts(const json::object& service) {  // deploy/P10
    const auto* volumes = array_of(service, "volumes");
    if (volumes == nullptr) return;
    for (const auto& item : *volumes) {
      const auto* volume = item.if_object();
      if (volume == nullptr || text_of(*volume, "type") != "bind") continue;
      const auto path = path_below(stack_.live_root, text_of(*volume, "source"));
      if (path && is_missing(*path))
        warnings_.insert(
            fmt::format("{} is mounted and not there: the engine makes it, an empty folder of root's", *path));
    }
  }

  void look_at_files(const json::object& service, std::string_view section, std::string_view word) {
    const auto* used = array_of(service, section);
    const auto* definitions = object_of(stack_.model, section);
    if (used == nullptr || definitions == nullptr) return;
    for (const auto& item : *used) {
      const auto name = name_used(item);
      const auto* definition = object_of(*definitions, name);
      if (definition == nullptr) continue;
      const auto path = path_below(stack_.live_root, text_of(*definition, "file"));
      if (path && is_missing(*path))
        warnings_.insert(fmt::format("{} {}: {} is not there: no container that uses it can start", word, name, *path));
    }
  }

  bool is_missing(const std::string& path) const {
    std::error_code ignored;
    return !path.empty() &&
           !std::filesystem::exists(std::filesystem::symlink_status(live_directory_ / path, ignored)) &&
           tree_.find(path) == nullptr && tree_.below(path).empty();
  }

  const PreparedStack& stack_;
  const UnpackedTree& tree_;
  const std::filesystem::path live_directory_;
  std::set<std::string> warnings_;
};

std::string warning_of(const ChangedVolume& volume) {
  return fmt::format("volume {} is there with another {} and {}", volume.name, volume.difference,
                     volume.holds_data ? "stays as it is: it holds data" : "is made anew");
}

// Of a stack that is destroyed, `down --volumes` takes all but external ones.
Result<std::vector<std::string>> warnings_on_lost_volumes(Engine& engine, const DeployConfig& config,
                                                          const Deadline& deadline) {
  std::vector<std::string> warnings;
  if (!config.destroy.remove_volumes) return warnings;
  const auto volumes = engine.volumes({project_filter(config.name)}, deadline);
  if (!volumes) return tl::unexpected(volumes.error());
  for (const auto& volume : *volumes)
    warnings.push_back(fmt::format("volume {} is removed with its data", volume.name));
  return warnings;
}

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
  fetch_secrets(run);
  for_each_stack(run, [&](PreparedStack& stack) { return resolve(run, stack, *ready); });
  for_each_stack(run, [&](PreparedStack& stack) {
    if (!stack.filtered_because.empty()) return Status();
    auto& preparer = run.host_of(stack).preparer;
    if (stack.config.destroy.enabled) return preparer.plan_removal(job, stack, {}, run.deadline);
    auto planned = preparer.plan(job, *run.digest, stack, false, {}, run.deadline);
    return planned ? guard_against_loop(run, stack) : planned;
  });
  PlanReport report{.artifact = job.request.artifact,
                    .digest = archive.empty() ? run.digest->str() : "",
                    .warnings = {},
                    .stacks = {}};
  for (const auto& warning : ready->configs.warnings) report.warnings.push_back(run.log.masked(warning));
  for (auto& stack : run.stacks) mask_plan(run, stack);
  for (std::size_t index = 0; index < run.stacks.size(); ++index) {
    report.stacks.push_back(report_on(run, index));
    const auto& decision = report.stacks.back().decision;
    if (decision != "deploy" && decision != "destroy") continue;
    const auto& stack = run.stacks[index];
    auto warnings = decision == "deploy"
                        ? warnings_on(run, stack, *ready)
                        : warnings_on_lost_volumes(run.host_of(stack).engine, stack.config, run.deadline);
    if (!warnings) return tl::unexpected(warnings.error());
    report.stacks.back().warnings = *std::move(warnings);
  }
  return report;
}

Result<std::vector<std::string>> Pipeline::warnings_on(const Run& run, const PreparedStack& stack, const Ready& ready) {
  const auto missing =
      MissingSources(stack, ready.tree, options_.data_dir / ready.live_paths.at(stack.config.context)).warnings();
  std::vector<std::string> warnings(missing.begin(), missing.end());
  const auto volumes = run.host_of(stack).preparer.changed_volumes(stack, run.deadline);
  if (!volumes) return tl::unexpected(volumes.error());
  for (const auto& volume : *volumes) warnings.push_back(warning_of(volume));
  for (auto& warning : warnings) warning = run.log.masked(warning);
  return warnings;
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
  StackReport report{.name = stack.config.name, .context = stack.config.context, .plan = stack.plan};
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
  const auto before = releases_.last_model(stack.config.id());
  if (before && *before) report.changes = changes_between(**before, run.host_of(stack).preparer.redacted_model(stack));
  return report;
}

}  // namespace windlass
