#include "deploy/pipeline.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/crash_point.h"
#include "base/parallel.h"
#include "config/inline_deployments.h"
#include "deploy/heartbeat.h"
#include "deploy/pipeline_run.h"
#include "sys/crypto.h"
#include "sys/files.h"

namespace windlass {
namespace {

std::chrono::seconds longest_timeout(const std::vector<PreparedStack>& stacks) {
  std::chrono::seconds longest{0};
  for (const auto& stack : stacks) {
    const auto stable_for = stack.rollback.enabled() ? stack.rollback.stable_for : std::chrono::milliseconds(0);
    longest = std::max(longest, start_timeout(stack.config) + std::chrono::ceil<std::chrono::seconds>(stable_for));
  }
  return longest;
}

StackResult result_of(const std::string& stack, RunStatus status, std::string message) {
  return {.name = stack, .status = status, .message = std::move(message)};
}

}  // namespace

Pipeline::Pipeline(Options options, Source& source, LiveDirectories& live, ReleaseStore& releases, SettledRuns& settled,
                   StackPreparer& preparer, StackImages& images, StackDeployment& deployment, StackLocks& locks,
                   Slots& places, Log log)
    : options_(std::move(options)),
      source_(source),
      live_(live),
      releases_(releases),
      settled_(settled),
      preparer_(preparer),
      images_(images),
      deployment_(deployment),
      locks_(locks),
      places_(places),
      log_(std::move(log)) {}

Pipeline::Run Pipeline::begin(const Job& job, const TellRevision& tell_revision, const Deadline& deadline) {
  const auto& request = job.request;
  Run run{.job = job,
          .tell_revision = tell_revision,
          .deadline = deadline,
          .log = log_.with({{"job_id", job.id}, {"artifact", request.artifact}, {"target", request.target}}),
          .lane = lane_of(request)};
  run.log.info("received new artifact job", {{"trigger.commit", request.digest ? request.digest->str() : ""},
                                             {"trigger.ref", request.ref},
                                             {"trigger.event", to_string(request.trigger)}});
  return run;
}

JobOutcome Pipeline::run(const Job& job, const TellRevision& tell_revision, const Deadline& deadline) {
  auto run = begin(job, tell_revision, deadline);
  auto begun = releases_.begun_rollback(job.id);
  if (!begun) return state_fault(begun.error());
  if (*begun) return go_on_with_rollback(run, **begun);
  auto history = releases_.history(run.lane);
  if (!history) return state_fault(history.error());
  if (is_rollback(job.request)) return roll_back_by_hand(run, *history);
  if (is_repair(job.request)) return repair(run, *history);
  if (auto ended = settle_or_find_unchanged(run, *history)) return *std::move(ended);
  if (auto noted = settled_.begin(job.request); !noted) return state_fault(noted.error());
  auto outcome = deploy(run);
  remember(run, outcome.status != RunStatus::failed);
  if (outcome.status == RunStatus::failed) answer_failure(run, outcome);
  return outcome;
}

// The registry and the engine are asked side by side: mostly the digest that was announced is the one that counts.
std::optional<JobOutcome> Pipeline::settle_or_find_unchanged(Run& run, const LaneHistory& history) {
  const auto& request = run.job.request;
  std::optional<JobOutcome> ended;
  Result<std::optional<JobOutcome>> unchanged;
  const auto ask_registry = [&] {
    ended = settle(run, history);
    return Status();
  };
  const auto ask_engine = [&] {
    if (request.digest) unchanged = settled_.unchanged(request, *request.digest, run.deadline, run.log);
    return Status();
  };
  const auto asked = side_by_side({ask_registry, ask_engine});
  if (!asked[0]) return JobOutcome::failed(FailedStep::resolve, asked[0].error().message, true);
  if (ended) return ended;
  if (run.digest != request.digest) unchanged = settled_.unchanged(request, *run.digest, run.deadline, run.log);
  return unchanged ? *unchanged : std::nullopt;  // an engine that does not answer now is asked again by the deployment
}

// The digest that counts; an end if there is none.
std::optional<JobOutcome> Pipeline::settle(Run& run, const LaneHistory& history) {
  const auto& request = run.job.request;
  auto settled = source_.settle(run.job, history, run.deadline);
  if (!settled)
    return JobOutcome::failed(FailedStep::resolve, settled.error().message, settled.error().kind == Kind::unavailable);
  // A poll announces nothing newer: what it took the place of may come again.
  if (request.digest)
    for (const auto& replaced : run.job.replaced_digests)
      if (!history.has_seen(replaced))
        if (auto noted = releases_.remember(run.lane, replaced, false); !noted) return state_fault(noted.error());
  if (!settled->deploy) {
    if (request.digest && !history.has_seen(*request.digest))
      if (auto noted = releases_.remember(run.lane, *request.digest, false); !noted) return state_fault(noted.error());
    return JobOutcome::skipped(settled->reason);
  }
  run.digest = settled->deploy;
  run.key = settled_.key(request, *run.digest);
  crash_point("source.resolved");
  run.tell_revision(revision_to(request, *run.digest));
  return std::nullopt;
}

// Verified, unpacked and read, down to the configurations of its stacks; or the end of the job. What only looks leaves
// no trace but blobs in the content store.
tl::expected<Pipeline::Ready, JobOutcome> Pipeline::get_ready(Run& run, const std::filesystem::path& staging) {
  const auto& request = run.job.request;
  const auto failed = [](FailedStep step, const Error& error, bool may_pass = true) {
    return tl::unexpected(JobOutcome::failed(step, error.message, may_pass && error.kind == Kind::unavailable));
  };
  auto plain_path = source_.live_path(run.job);
  if (!plain_path) return failed(FailedStep::path, plain_path.error(), false);
  if (auto path = live_.path_to_be(request.source_id, *plain_path, request.ref, request.ref_is_digest); !path)
    return failed(FailedStep::path, path.error(), false);

  if (!is_beyond_doubt(run))
    if (auto trusted = source_.verify(run.job, *run.digest, run.deadline); !trusted)
      return failed(FailedStep::trust, trusted.error());
  crash_point("verify.done");

  (void)remove_tree(staging);  // of an attempt that was cut short
  auto tree = run.archive.empty() ? source_.fetch(run.job, *run.digest, staging, run.deadline)
                                  : source_.unpack_archive(run.archive, staging, run.deadline);
  if (!tree) return failed(FailedStep::pull, tree.error());
  for (const auto& note : tree->notes) run.log.info("note on the artifact", {{"note", note}});

  run.encrypted = std::make_shared<EncryptedFiles>(
      EncryptedFiles::Options{
          .decryptor = options_.decryptor, .folder = options_.run_dir / new_uuid_v7(), .hash_key = options_.hash_key},
      run.log, run.deadline);
  const auto files = run.encrypted->source(*tree);
  auto configs = request.deployments.empty() ? load_deploy_configs(files, request.target, options_.config)
                                             : load_inline_deployments(request.deployments, files);
  if (!configs) return failed(FailedStep::config, configs.error(), false);
  for (const auto& warning : configs->warnings) run.log.warning("deploy config", {{"warning", warning}});
  // Not before: what is not trusted, or is no deployment, must not take the plain path from those that come after it.
  auto live_path = run.is_look ? live_.path_to_be(request.source_id, *plain_path, request.ref, request.ref_is_digest)
                               : live_.path_for(request.source_id, *plain_path, request.ref, request.ref_is_digest);
  if (!live_path) return failed(FailedStep::path, live_path.error(), false);
  if (*live_path != *plain_path) run.own_path = *live_path;
  for (auto& config : configs->stacks) {
    config.reference = request.ref;  // config 3: the artifact's tag or digest always counts
    run.stacks.push_back(prepared(run, std::move(config)));
  }
  run.errors.resize(run.stacks.size());
  run.deadline.at += longest_timeout(run.stacks);  // webhook/C10: on top of JOB_TIMEOUT
  verify_deployments(run);
  if (!run.any_failed() && run.any_stays())
    if (auto found = run.encrypted->find(*tree); !found) return failed(FailedStep::deployment, found.error());
  return Ready{*std::move(live_path), *std::move(tree), *std::move(configs)};
}

JobOutcome Pipeline::deploy(Run& run) {
  const Staging staging(options_.data_dir / ".windlass/oci/staging" / run.job.id);
  auto ready = get_ready(run, staging.folder());
  if (!ready) return std::move(ready.error());
  auto& [live_path, tree, configs] = *ready;
  if (run.any_failed()) return conclude(run);  // they share the live directory: all of them or none (oci 11.3)

  if (auto ended = lock_stacks(run)) return *ended;
  for_each_stack(
      run, [&](PreparedStack& stack) { return resolve(run, stack, tree, options_.host_data_dir + "/" + live_path); });
  if (run.any_failed()) return conclude(run);  // reliability/P7: all models or none
  for_each_stack(run, [&](PreparedStack& stack) { return plan(run, stack); });
  crash_point("plan.done");
  if (run.any_goes_on()) {
    if (run.any_stays())
      if (auto failed = write_live_directory(run, live_path, tree)) return *failed;
    if (run.any_stays()) tree = {};  // stacks may take long, and a large artifact may wait for its place
    run.touched = true;
    if (run.back_to) crash_point("rollback.half");
    for_each_stack(run, [&](PreparedStack& stack) { return bring_up(run, stack); });
    if (!run.any_failed() && !run.any_stays()) remove_live_directory(run, live_path, tree);
  }
  if (!run.any_failed() && !run.back_to) remove_obsolete(run, configs);
  return conclude(run);
}

// All of the artifact's, until everything that this run leads to has ended: between a release that failed and the one
// that comes back nobody else may deploy. The end of the job if somebody else has done so before a repair had them.
std::optional<JobOutcome> Pipeline::lock_stacks(Run& run) {
  std::vector<std::string> names, missing;
  for (const auto& stack : run.stacks) names.push_back(stack.config.name);
  std::ranges::copy_if(names, std::back_inserter(missing), [&](const std::string& name) {
    return std::ranges::none_of(run.locks,
                                [&](const auto& held) { return std::ranges::count(held.stacks(), name) > 0; });
  });
  if (!missing.empty()) {
    auto locks = locks_.take(missing, run.deadline, [&](const std::string& stack) {
      run.log.info("waiting for stack lock", {{"stack", stack}});
    });
    if (!locks) return JobOutcome::failed(FailedStep::deployment, locks.error().message, true);
    run.locks.push_back(*std::move(locks));
  }
  return find_overtaken(run, names);
}

// Those that have not failed yet; the errors are kept with the run.
void Pipeline::for_each_stack(Run& run, const std::function<Status(PreparedStack&)>& step) {
  const auto results = for_each_index(run.stacks.size(), options_.concurrent_stacks_max, [&](std::size_t index) {
    return run.errors[index] ? Status() : step(run.stacks[index]);
  });
  for (std::size_t index = 0; index < results.size(); ++index)
    if (!results[index]) run.errors[index] = results[index].error();
}

// The stack before anything is known of it but its configuration.
PreparedStack Pipeline::prepared(const Run& run, DeployConfig config) const {
  PreparedStack stack{.config = std::move(config)};
  stack.rollback = stack.config.rollback.value_or(options_.auto_rollback ? RollbackRule::always() : RollbackRule());
  if (!run.only.empty() && stack.config.name != run.only) stack.filtered_because = "another stack is repaired";
  // Of a repair only what changed is made anew, whatever the stack wants of every deployment.
  if (is_repair(run.job.request)) stack.config.force_recreate = stack.config.force_image_pull = false;
  if (run.back_to) stack.rollback.on_failed = stack.rollback.on_unhealthy = stack.rollback.on_timeout = false;
  return stack;
}

// What single deployments demand beside the policies of the whole artifact.
void Pipeline::verify_deployments(Run& run) {
  run.failing_step = FailedStep::trust;
  for_each_stack(run, [&](PreparedStack& stack) {
    return stack.config.trust.empty() || is_beyond_doubt(run)
               ? Status()
               : source_.verify_deployment(run.job, *run.digest, stack.config.trust, run.deadline);
  });
  if (!run.any_failed()) run.failing_step = FailedStep::deployment;
}

Status Pipeline::resolve(Run& run, PreparedStack& stack, const UnpackedTree& tree, const std::string& host_root) {
  if (stack.config.destroy.enabled || !stack.filtered_because.empty()) return {};
  const Heartbeat heartbeat(run.log.with({{"stack", stack.config.name}}), "resolving model");
  auto prepared =
      preparer_.prepare(run.job, stack.config, tree, run.encrypted, host_root, options_.oci_includes, run.deadline);
  if (!prepared) return tl::unexpected(prepared.error());
  prepared->rollback = stack.rollback;
  stack = std::move(*prepared);
  return {};
}

// The plan of one stack, and the images that it needs; the live directory is still as it was.
Status Pipeline::plan(Run& run, PreparedStack& stack) {
  if (!stack.filtered_because.empty()) return {};
  const auto log = run.log.with({{"stack", stack.config.name}});
  if (stack.config.destroy.enabled) return preparer_.plan_removal(run.job, stack, run.deadline);
  if (auto planned = preparer_.plan(run.job, *run.digest, stack, true, run.deadline); !planned) return planned;
  log.debug("plan", {{"plan", stack.plan.str()}});
  for (const auto& service : stack.plan.services)
    if (service.action == ServiceAction::keep && !service.reasons.empty())
      log.info("service is left as it is",
               {{"service", service.service}, {"reason", fmt::format("{}", fmt::join(service.reasons, ", "))}});
  if (run.back_to) {
    if (auto restored = restore_images(run, stack); !restored) return restored;
  } else if (!stack.plan.changes_anything() && !stack.config.force_image_pull) {
    return {};
  }
  auto slot = places_.take(run.deadline);
  if (!slot) return tl::unexpected(slot.error());
  auto got = images_.get(stack, log, run.deadline);
  if (!got && !stack.plan.changes_anything()) {  // N19: the stack is as it should be, and is looked at again
    log.warning("newer images could not be looked for", {{"error", got.error().message}});
    return {};
  }
  return got;
}

// The end of the job if the live directory could not be written.
std::optional<JobOutcome> Pipeline::write_live_directory(Run& run, const std::string& live_path, UnpackedTree& tree) {
  const auto failed = [&](const Error& error) {
    return JobOutcome::failed(FailedStep::deployment,
                              fmt::format("writing the live directory {}: {}", live_path, error.message),
                              error.kind == Kind::unavailable);
  };
  auto plain = plain_entries(run, live_path, tree);
  if (!plain) return failed(plain.error());
  if (!plain->empty()) tree.plain_root = run.encrypted->folder();
  for (auto& entry : tree.entries)
    if (const auto found = plain->find(entry.path); found != plain->end()) entry = found->second;
  SyncOptions options;
  for (const auto& stack : run.stacks) {
    options.force = options.force || stack.config.force_recreate;
    options.in_place.insert(stack.in_place.begin(), stack.in_place.end());
  }
  auto synced = live_.sync(live_path, tree, *run.digest, options, run.deadline);
  if (!synced) {
    const auto& [error, touched] = synced.error();
    if (touched) note_mixed_files(run);
    return failed(error);
  }
  for (const auto& path : synced->drift)
    run.log.warning("file was edited by hand and is left alone", {{"path", path}, {"live_directory", live_path}});
  if (!synced->changed.empty())
    run.log.info("live directory written", {{"changed_files", synced->changed.size()}, {"live_directory", live_path}});
  return std::nullopt;
}

// What the containers of all stacks see in plain text. Of a stack that this run leaves alone nobody knows: what is
// decrypted for it stays so.
Result<PlainEntries> Pipeline::plain_entries(const Run& run, const std::string& live_path, const UnpackedTree& tree) {
  PlainEntries plain;
  bool all_are_known = true;
  for (const auto& stack : run.stacks) {
    plain.insert(stack.plain.begin(), stack.plain.end());
    all_are_known = all_are_known && (stack.encrypted != nullptr || stack.config.destroy.enabled);
  }
  if (all_are_known || !run.encrypted->any()) return plain;
  const auto decrypted = live_.decrypted_files(live_path);
  if (!decrypted) return tl::unexpected(decrypted.error());
  auto others = run.encrypted->mounted(*decrypted, tree);
  if (!others) return others;
  plain.merge(*others);
  return plain;
}

// Containers already see files of the new release: it counts as one that could not be started (deploy/V2, V6).
void Pipeline::note_mixed_files(Run& run) {
  run.touched = true;
  for (auto& stack : run.stacks)
    if (stack.deploys() && !stack.config.destroy.enabled) stack.failure = StartFailure::failed;
}

ReleaseOrigin Pipeline::origin_of(const Run& run) const {
  return {.job = run.job, .digest = *run.digest, .trust_hash = settled_.trust_hash(run.job.request)};
}

Status Pipeline::bring_up(Run& run, PreparedStack& stack) {
  if (!stack.deploys()) return {};
  auto slot = places_.take(run.deadline);
  if (!slot) return tl::unexpected(slot.error());
  const auto& destroy = stack.config.destroy;
  const auto log = run.log.with({{"stack", stack.config.name}});
  const auto origin = origin_of(run);
  if (destroy.enabled)
    return deployment_.take_down(origin, stack, {.volumes = destroy.remove_volumes, .images = destroy.remove_images},
                                 log, run.deadline);
  return deployment_.bring_up(origin, stack, log, run.deadline);
}

// The stacks' ends as one end of the job (webhook/R21, R33, X5, X6).
JobOutcome Pipeline::conclude(const Run& run) {
  JobOutcome outcome;
  std::vector<std::string> errors, reasons;
  for (std::size_t i = 0; i < run.stacks.size(); ++i) {
    const auto& stack = run.stacks[i];
    const auto& name = stack.config.name;
    if (const auto& error = run.errors[i]) {
      errors.push_back(fmt::format("failed to deploy stack {}: {}", name, error->message));
      outcome.passing_fault = outcome.passing_fault || error->kind == Kind::unavailable;
      outcome.stacks.push_back(result_of(name, RunStatus::failed, error->message));
    } else if (run.touched && stack.deploys()) {
      outcome.stacks.push_back(result_of(name, RunStatus::succeeded, stack.plan.str()));
    } else {
      const auto reason = !stack.filtered_because.empty()    ? stack.filtered_because
                          : stack.config.destroy.enabled     ? "nothing to take down"
                          : run.any_failed() && !run.touched ? "not deployed, because another stack of the run failed"
                                                             : "no changes";
      reasons.push_back(fmt::format("{}: {}", name, reason));
      outcome.stacks.push_back(result_of(name, RunStatus::skipped, reason));
    }
  }
  if (!errors.empty()) {
    outcome.status = RunStatus::failed;
    outcome.failed_step = run.failing_step;
    outcome.message = fmt::format("{}", fmt::join(errors, "\n"));
    return outcome;
  }
  keep_settled(run);
  keep_rules(run);
  const auto deployed = run.stacks.size() - reasons.size();
  outcome.status = deployed == 0 ? RunStatus::skipped : RunStatus::succeeded;
  outcome.message = run.stacks.empty() ? "no stacks found"
                    : deployed == 0    ? fmt::format("{}", fmt::join(reasons, "; "))
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
  if (!run.only.empty()) return keep_settled_stack(run);
  SettledRun settled{.key = run.key};
  for (const auto& stack : run.stacks) {
    if (stack.config.force_recreate || stack.config.force_image_pull) return;
    SettledStack end{.name = stack.config.name,
                     .skipped_because = stack.filtered_because,
                     .services = stack.services,
                     .keeps_orphans = !stack.config.remove_orphans};
    auto record = releases_.stack(end.name);
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
      if (auto kept = releases_.keep_as_it_is(stack.config.name, *run.digest, rules_of(stack.config)); !kept)
        run.log.warning("state of the stack was not kept",
                        {{"stack", stack.config.name}, {"error", kept.error().message}});
}

void Pipeline::remember(const Run& run, bool deployed) {
  if (auto kept = releases_.remember(run.lane, *run.digest, deployed); !kept)
    run.log.error("digest was not remembered", {{"error", kept.error().message}});
}

}  // namespace windlass
