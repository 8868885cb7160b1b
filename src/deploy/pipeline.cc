#include "deploy/pipeline.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/crash_point.h"
#include "base/parallel.h"
#include "base/text.h"
#include "config/inline_deployments.h"
#include "deploy/heartbeat.h"
#include "deploy/pipeline_run.h"
#include "sys/crypto.h"
#include "sys/files.h"

namespace windlass {
namespace {

constexpr auto kLargeTreePatience = std::chrono::minutes(5);  // then its job comes again

std::chrono::seconds longest_timeout(const std::vector<PreparedStack>& stacks) {
  std::chrono::seconds longest{0};
  for (const auto& stack : stacks) {
    const auto stable_for = stack.rollback.enabled() ? stack.rollback.stable_for : std::chrono::milliseconds(0);
    longest = std::max(longest, start_timeout(stack.config) + std::chrono::ceil<std::chrono::seconds>(stable_for));
  }
  return longest;
}

}  // namespace

Pipeline::Pipeline(Options options, Source& source, LiveDirectories& live, ReleaseStore& releases, SettledRuns& settled,
                   SecretResolver& secrets, DockerHosts& hosts, StackLocks& locks, Slots& places, Log log)
    : options_(std::move(options)),
      source_(source),
      live_(live),
      releases_(releases),
      settled_(settled),
      secrets_(secrets),
      hosts_(hosts),
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
  // A configuration may be encrypted, and what is wrong with it is quoted.
  const auto failed = [&](FailedStep step, const Error& error, bool may_pass = true) {
    return tl::unexpected(
        JobOutcome::failed(step, run.log.masked(error.message), may_pass && error.kind == Kind::unavailable));
  };
  auto plain_path = source_.live_path(run.job);
  if (!plain_path) return failed(FailedStep::path, plain_path.error(), false);
  if (auto path = live_.path_to_be({request.source_id, request.ref, request.ref_is_digest}, *plain_path); !path)
    return failed(FailedStep::path, path.error(), false);

  tell_phase(run, "verifying the artifact");
  run.trust_hash = settled_.trust_hash(request);
  if (!is_beyond_doubt(run))
    if (auto trusted = source_.verify(run.job, *run.digest, run.deadline); !trusted)
      return failed(FailedStep::trust, trusted.error());
  crash_point("verify.done");

  tell_phase(run, "fetching the artifact");
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
  for (auto& config : configs->stacks) {
    config.reference = request.ref;  // config 3: the artifact's tag or digest always counts
    run.stacks.push_back(prepared(run, std::move(config)));
  }
  run.errors.resize(run.stacks.size());
  auto paths = live_paths(run, *plain_path);
  if (!paths) return failed(FailedStep::path, paths.error(), false);
  if (const auto own = paths->find(""); own != paths->end() && own->second != *plain_path) run.own_path = own->second;
  run.deadline.at += longest_timeout(run.stacks);  // webhook/C10: on top of JOB_TIMEOUT
  find_hosts(run);
  verify_deployments(run);
  if (!run.any_failed() && run.any_stays())
    if (auto found = run.encrypted->find(*tree); !found) return failed(FailedStep::deployment, found.error());
  return Ready{*std::move(paths), *std::move(tree), *std::move(configs)};
}

JobOutcome Pipeline::deploy(Run& run) {
  const Staging staging(options_.data_dir / ".windlass/oci/staging" / run.job.id);
  auto ready = get_ready(run, staging.folder());
  if (!ready) return std::move(ready.error());
  if (run.any_failed()) return conclude(run);  // they share the live directory: all of them or none (oci 11.3)

  tell_phase(run, "waiting for the stacks' locks");
  // Nobody waits long with one of the few places for large trees in hand: a run that goes back has locks and needs one.
  const auto patience = ready->tree.large_place ? run.deadline.within(kLargeTreePatience) : run.deadline;
  if (auto ended = lock_stacks(run, patience)) return *ended;
  tell_phase(run, "fetching secrets");
  fetch_secrets(run);
  tell_phase(run, run.back_to ? "rolling back" : "");
  for_each_stack(run, [&](PreparedStack& stack) { return resolve(run, stack, *ready); });
  if (run.any_failed()) return conclude(run);  // reliability/P7: all models or none
  for_each_stack(run, [&](PreparedStack& stack) {
    auto planned = plan(run, stack);
    if (planned) planned = guard_against_loop(run, stack);
    if (!planned || !stack.deploys()) stack.tell_phase("");
    return planned;
  });
  crash_point("plan.done");
  if (auto failed = write_live_directories(run, *ready)) return *failed;
  ready->tree = {};  // stacks may take long, and a large artifact may wait for its place
  if (run.any_goes_on()) {
    run.touched = true;
    if (run.back_to) crash_point("rollback.half");
    // The one that we run in last: the others are done when we are ended with it (deploy/U2).
    for_each_stack(run, [&](auto& stack) { return stack.own_service.empty() ? bring_up(run, stack) : Status(); });
    for_each_stack(run, [&](auto& stack) { return stack.own_service.empty() ? Status() : bring_up(run, stack); });
    for (const auto& [context, live_path] : ready->live_paths)
      if (run.sees_files(context) && !run.any_failed(context) && !run.any_stays(context) && run.any_goes_on(context))
        remove_live_directory(run, context, live_path);
  }
  if (!run.any_failed() && !run.back_to) remove_obsolete(run, ready->configs);
  return conclude(run);
}

// Those that have not failed yet; the errors are kept with the run, without what is secret: a container's last words
// may hold it.
void Pipeline::for_each_stack(Run& run, const std::function<Status(PreparedStack&)>& step) {
  const auto results = for_each_index(run.stacks.size(), options_.concurrent_stacks_max, [&](std::size_t index) {
    return run.errors[index] ? Status() : step(run.stacks[index]);
  });
  for (std::size_t index = 0; index < results.size(); ++index)
    if (!results[index])
      run.errors[index] = Error{results[index].error().kind, run.log.masked(results[index].error().message)};
}

// The stack before anything is known of it but its configuration.
PreparedStack Pipeline::prepared(const Run& run, DeployConfig config) const {
  PreparedStack stack{.config = std::move(config)};
  stack.rollback = stack.config.rollback.value_or(options_.auto_rollback ? RollbackRule::always() : RollbackRule());
  if (!run.is_look)
    stack.tell_phase = [observer = options_.observer, job = run.job.id, name = stack.config.id().str()](
                           std::string_view phase) { observer->phase_changed(job, name, phase); };
  const auto& request = run.job.request;
  if (!run.only.name.empty() && stack.config.id() != run.only)
    stack.filtered_because = "another stack is repaired";
  else if (request.trigger == Trigger::webhook && !is_rollback(request) && !stack.config.destroy.enabled &&
           !filter_matches(stack.config, request.ref))  // webhook/F6
    stack.filtered_because =
        fmt::format("webhook_filter '{}' does not match {}", stack.config.webhook_filter, request.ref);
  // Of a repair only what changed is made anew, whatever the stack wants of every deployment.
  if (is_repair(request) || run.is_again) stack.config.force_recreate = stack.config.force_image_pull = false;
  if (run.back_to) stack.rollback.on_failed = stack.rollback.on_unhealthy = stack.rollback.on_timeout = false;
  return stack;
}

void Pipeline::tell_phase(const Run& run, std::string_view phase) const {
  if (!run.is_look) options_.observer->phase_changed(run.job.id, "", phase);
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

Status Pipeline::resolve(Run& run, PreparedStack& stack, const Ready& ready) {
  if (stack.config.destroy.enabled || !stack.filtered_because.empty()) return {};
  const Heartbeat heartbeat(run.log_of(stack.config.id()), "resolving model", stack.tell_phase);
  const auto host_root = options_.host_data_dir + "/" + ready.live_paths.at(stack.config.context);
  // Nobody has signed an archive: its files are not to send values of secrets anywhere, in the URL of an include.
  const bool is_local = !run.archive.empty();
  auto prepared = run.host_of(stack).preparer.prepare(stack.config, stack.external_secrets, ready.tree, run.encrypted,
                                                      host_root, options_.oci_includes, is_local, run.deadline);
  if (!prepared) return tl::unexpected(prepared.error());
  prepared->rollback = stack.rollback;
  prepared->tell_phase = stack.tell_phase;
  stack = std::move(*prepared);
  return {};
}

// The plan of one stack, and the images that it needs; the live directory is still as it was.
Status Pipeline::plan(Run& run, PreparedStack& stack) {
  if (!stack.filtered_because.empty()) return {};
  const auto log = run.log_of(stack.config.id());
  auto& host = run.host_of(stack);
  const auto lock = [&](const std::vector<StackId>& others) { return lock_taken_over(run, others); };
  if (stack.config.destroy.enabled) return host.preparer.plan_removal(run.job, stack, lock, run.deadline);
  if (auto planned = host.preparer.plan(run.job, *run.digest, stack, true, lock, run.deadline); !planned)
    return planned;
  log.debug("plan", {{"plan", stack.plan.str()}});
  for (const auto& service : stack.plan.services)
    if (service.action == ServiceAction::keep && !service.reasons.empty())
      log.info("service is left as it is", {{"service", service.service}, {"reason", join(service.reasons, ", ")}});
  if (run.back_to) {
    if (auto restored = restore_images(run, stack); !restored) return restored;
  } else if (!stack.plan.changes_anything() && !stack.config.force_image_pull) {
    return {};
  }
  auto slot = places_.take(run.deadline);
  if (!slot) return tl::unexpected(slot.error());
  auto got = host.images.get(stack, log, run.deadline);
  if (!got && !stack.plan.changes_anything()) {  // N19: the stack is as it should be, and is looked at again
    log.warning("newer images could not be looked for", {{"error", got.error().message}});
    return {};
  }
  return got;
}

ReleaseOrigin Pipeline::origin_of(const Run& run) const {
  return {.job = run.job, .digest = *run.digest, .trust_hash = run.trust_hash};
}

Status Pipeline::bring_up(Run& run, PreparedStack& stack) {
  if (!stack.deploys()) return {};
  stack.tell_phase("waiting for a place");
  auto slot = places_.take(run.deadline);
  if (!slot) {
    stack.tell_phase("");
    return tl::unexpected(slot.error());
  }
  const auto& destroy = stack.config.destroy;
  const auto log = run.log_of(stack.config.id());
  auto& deployment = run.host_of(stack).deployment;
  const auto origin = origin_of(run);
  mask_plan(run, stack);
  const Removal removal{.volumes = destroy.remove_volumes, .images = destroy.remove_images};
  auto done = destroy.enabled ? deployment.take_down(origin, stack, removal, log, run.deadline)
                              : deployment.bring_up(origin, stack, std::move(*slot), log, run.deadline);
  if (done && !destroy.enabled) count_deployment(run, stack);
  stack.tell_phase("");
  return done;
}

}  // namespace windlass
