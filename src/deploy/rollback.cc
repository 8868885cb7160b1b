// The way back (deploy/V2 to V6): by itself when a stack that asks for it fails, or by an operator's hand.
//
// What comes back is an artifact: the stacks of one artifact share files and were good together, so all of them that
// this target deploys go back to what they were when the release was good. Files come from the content store, images
// from the engine; the registry is not needed.
#include <fmt/format.h>

#include <algorithm>

#include "base/crash_point.h"
#include "deploy/pipeline_run.h"

namespace windlass {
namespace {

std::string in_words(const Release& release) { return revision_to(release.request, *release.request.digest); }

// The release as if it had been made from another digest, which has changed nothing of its stack. That one was trusted
// when it came, perhaps by other policies than the release's.
void move_to(Release& release, const Digest& digest) {
  auto& request = release.request;
  if (release.digest == digest.str()) return;
  release.trust_hash.clear();
  release.digest = digest.str();
  request.digest = digest;
  if (!request.ref_is_digest) return;
  request.ref = digest.str();
  request.artifact = request.artifact.substr(0, request.artifact.find('@')) + "@" + digest.str();
}

bool is_good(const JobOutcome& outcome) {
  return outcome.status == RunStatus::succeeded || outcome.status == RunStatus::skipped;
}

// An end of a failed job's message, and of each of its stacks that failed with it.
void add_to_message(JobOutcome& outcome, const std::string& end) {
  outcome.message += end;
  for (auto& stack : outcome.stacks)
    if (stack.status == RunStatus::failed) stack.message += end;
}

// Neighbours of the stack that failed were good, and yet they went back with it.
void take_back_neighbours(JobOutcome& outcome, const std::string& revision) {
  for (auto& stack : outcome.stacks)
    if (stack.status == RunStatus::succeeded) {
      stack.status = RunStatus::skipped;
      stack.message = fmt::format("rolled back to {} with a stack that failed", revision);
    }
}

}  // namespace

// deploy/V6: what failed before anything was touched, or by a fault that passes or is not its own, says nothing against
// the release.
void Pipeline::answer_failure(Run& run, JobOutcome& outcome) {
  if (!run.touched || outcome.passing_fault || run.failed_blamelessly()) return;
  auto release = release_to_go_back_to(run);
  if (!release)
    add_to_message(outcome, "; rollback failed: " + release.error().message);
  else if (*release)
    outcome = roll_back(run, **release, std::move(outcome));
  else if (std::any_of(run.stacks.begin(), run.stacks.end(),
                       [](const auto& stack) { return stack.asks_for_rollback(); }))
    add_to_message(outcome, "; there is no earlier good release to go back to, its containers are left for inspection");
  if (!outcome.passing_fault) end_badly(run, outcome);
}

// The rollback stays on record until the lane's next one: until this end of the job is on disk too it may be run again.
void Pipeline::end_badly(const Run& run, const JobOutcome& outcome) {
  remember_bad(run);
  if (auto kept = releases_.end_rollback(run.job.id, outcome.message); !kept)
    run.log.error("end of a rollback was not kept", {{"error", kept.error().message}});
}

void Pipeline::remember_bad(const Run& run) {
  SettledSecrets secrets;
  for (const auto& stack : run.stacks)
    for (auto& [name, secret] : settled_.stamped(stack.config.external_secrets, stack.external_secrets))
      secrets[fmt::format("{} {}", stack.config.id().str(), name)] = secret;
  if (auto kept = settled_.end_badly(run.job.request, run.key, secrets); !kept)
    run.log.error("failed release was not remembered", {{"error", kept.error().message}});
}

// Nothing when no stack that failed asks for it and has been good before.
Result<std::optional<Release>> Pipeline::release_to_go_back_to(const Run& run) {
  std::vector<StackId> stacks, going_back;
  for (const auto& stack : run.stacks) {
    stacks.push_back(stack.config.id());
    if (stack.rollback.enabled()) going_back.push_back(stack.config.id());
  }
  auto release = releases_.last_good(run.job.request, stacks, going_back, run.job.id);
  if (!release || !*release) return release;
  for (const auto& stack : run.stacks) {
    if (!stack.asks_for_rollback()) continue;
    auto good = releases_.good_as_of(stack.config.id(), **release);
    if (!good || *good) return good ? release : good;
  }
  return std::optional<Release>();
}

// On disk first: a job that is killed in the middle goes on with the way back, it does not try the bad release again.
JobOutcome Pipeline::roll_back(Run& run, const Release& release, JobOutcome failed) {
  const BegunRollback begun{.digest = *run.digest, .release_id = release.id, .reason = failed.message};
  if (auto noted = releases_.begin_rollback(run.lane, run.job.id, begun); !noted) {
    add_to_message(failed, "; rollback failed: " + noted.error().message);
    return failed;
  }
  run.log.warning("rolling back", {{"release", release.id}, {"revision", in_words(release)}, {"reason", begun.reason}});
  const auto back = bring_back_when_possible(run, release);
  if (run.deadline.stop.stop_requested() && !is_good(back)) {  // the next start goes on with it
    failed.passing_fault = true;
    return failed;
  }
  if (is_good(back)) {
    run.log.info("rolled back", {{"release", release.id}, {"revision", in_words(release)}});
    add_to_message(failed, "; rolled back to " + in_words(release));
    take_back_neighbours(failed, in_words(release));
  } else {
    add_to_message(failed, "; rollback failed: " + back.run_message());
  }
  return failed;
}

// An engine that restarts, a full disk, a registry that is asked for a pruned image: the bad release stays until they
// are back, so the job waits for them, and keeps its stacks. Not for long, as a release that mends all may be waiting
// for this job, and not for an engine that was away before.
JobOutcome Pipeline::bring_back_when_possible(Run& run, const Release& release) {
  auto back = bring_back(run, release);
  const auto is_outage = [&] {
    const auto concerns_us = [&](const StackResult& stack) {
      return stack.status == RunStatus::failed && !run.away.contains(stack.context);
    };
    return back.passing_fault && (back.stacks.empty() || std::ranges::any_of(back.stacks, concerns_us));
  };
  const auto patience = run.deadline.within(options_.back_patience);
  for (auto wait = options_.back_again; is_outage(); wait = std::min(2 * wait, 60 * options_.back_again)) {
    if (wait == options_.back_again) run.log.warning("rollback waits", {{"error", back.run_message()}});
    if (!pause(wait, patience)) break;
    run.is_again = true;
    back = bring_back(run, release);
  }
  return back;
}

JobOutcome Pipeline::go_on_with_rollback(Run& run, const BegunRollback& begun) {
  if (!begun.ended.empty()) return JobOutcome::failed(FailedStep::deployment, begun.ended);
  run.digest = begun.digest;
  run.key = settled_.key(run.job.request, begun.digest);
  auto failed = JobOutcome::failed(FailedStep::deployment, begun.reason);
  auto release = releases_.release(begun.release_id);
  if (!release) return state_fault(release.error());  // it goes on at the next attempt
  if (!*release) {
    failed.message += "; rollback failed: its release is gone";
    return failed;
  }
  auto outcome = roll_back(run, **release, std::move(failed));
  if (!outcome.passing_fault) end_badly(run, outcome);
  return outcome;
}

// The operator's word stands until the source moves again: polls leave what was there before alone.
JobOutcome Pipeline::roll_back_by_hand(Run& run, const LaneHistory& history) {
  const auto& request = run.job.request;
  auto release = releases_.good_release_of(request, *request.digest);
  if (!release) return state_fault(release.error());
  if (!*release)
    return JobOutcome::failed(FailedStep::deployment,
                              fmt::format("no good release of {} is known", revision_of(request)));
  run.tell_revision(in_words(**release));
  const auto left = history.seen.empty() ? std::nullopt : std::optional(history.seen.back());
  run.digest = request.digest;
  auto outcome = bring_back(run, **release);
  remember(run, is_good(outcome));
  if (is_good(outcome) && left && *left != *run.digest)
    if (auto kept = settled_.end_by_choice(request, settled_.key(request, *left)); !kept)
      run.log.error("release that was left was not remembered", {{"error", kept.error().message}});
  return outcome;
}

// The way back without anything to go back from: what runs is not what was deployed.
JobOutcome Pipeline::repair(Run& run, const LaneHistory& history) {
  auto newest = releases_.newest();  // before anything is looked up
  if (!newest) return state_fault(newest.error());
  run.decided_at = *std::move(newest);
  const auto& service = run.job.request.service;
  return service.empty() ? repair_all(run, history)
                         : repair_stack(run, StackId::parse(std::string_view(service).substr(0, service.find(' '))));
}

// One stack comes back to the digest that it was last brought to, which need not have changed it; its neighbours, which
// share its files, are of that digest too. While one of them is left for inspection they are of another.
JobOutcome Pipeline::repair_stack(Run& run, const StackId& stack) {
  auto release = releases_.good_release(stack);
  auto record = releases_.stack(stack);
  if (!release || !record) return state_fault(release ? record.error() : release.error());
  if (!*release || !*record)
    return JobOutcome::skipped(fmt::format("no good release of stack {} is known", stack.str()));
  if ((*release)->digest != run.job.request.digest->str())
    return JobOutcome::skipped("another release was deployed meanwhile");
  if (const auto brought = Digest::parse((*record)->brought)) move_to(**release, *brought);
  const auto failed = releases_.failed_stack((*release)->request, stack.context, (*release)->digest);
  if (!failed) return state_fault(failed.error());
  if (!failed->empty())
    return JobOutcome::skipped(fmt::format("the last release of stack {} failed and is left for inspection", *failed));
  run.tell_revision(in_words(**release));
  run.only = stack;
  return bring_back(run, **release, run.job.request.cause);
}

// All stacks of a polled source, to what it was last deployed from.
JobOutcome Pipeline::repair_all(Run& run, const LaneHistory& history) {
  const auto& request = run.job.request;
  auto release = releases_.release_brought_to(request, *request.digest);
  if (!release) return state_fault(release.error());
  if (history.last && history.last != request.digest)
    return JobOutcome::skipped("another release was deployed meanwhile");
  if (!*release) return JobOutcome::skipped(fmt::format("no good release of {} is known", revision_of(request)));
  move_to(**release, *request.digest);
  run.tell_revision(in_words(**release));
  return bring_back(run, **release, request.cause);
}

// With the stacks locked: what was deployed while a repair waited for them, from another ref perhaps, is what counts.
std::optional<JobOutcome> Pipeline::find_overtaken(const Run& run, const std::vector<StackId>& stacks) {
  if (!run.decided_at) return std::nullopt;
  const auto newest = releases_.newest();
  if (!newest) return state_fault(newest.error());
  const auto of = [](const auto& releases, const StackId& stack) {
    const auto found = releases.find(stack);
    return found == releases.end() ? std::string() : found->second;
  };
  for (const auto& stack : stacks)
    if (of(*newest, stack) != of(*run.decided_at, stack))
      return JobOutcome::skipped("another release was deployed meanwhile");
  return std::nullopt;
}

// The same walk as of any release, with its request of then.
JobOutcome Pipeline::bring_back(Run& run, const Release& release, std::string_view cause) {
  // What was known of the other stacks stays so, a release that failed and must not be tried again above all.
  if (run.only.name.empty())
    if (auto noted = settled_.begin(release.request); !noted) return state_fault(noted.error());
  Job job{.id = run.job.id, .request = release.request, .attempts = run.job.attempts};
  job.request.cause = cause;
  job.request.service = run.job.request.service;
  Run back{.job = job,
           .tell_revision = run.tell_revision,
           .deadline = run.deadline,
           .log = run.log.with({{"rollback_to", release.id}}),
           .lane = run.lane,
           .digest = release.request.digest,
           .key = settled_.key(release.request, *release.request.digest),
           .back_to = release,
           .only = run.only,
           .decided_at = run.decided_at,
           .locks = std::move(run.locks),
           .is_again = run.is_again};
  auto outcome = deploy(back);
  run.locks = std::move(back.locks);  // it may be tried again
  return outcome;
}

// A release that comes back was trusted when it was deployed, under the very same policies; to ask again would need the
// registry. Of an archive that is only looked at nothing will run, nor is anything elsewhere asked for (resolve()).
bool Pipeline::is_beyond_doubt(const Run& run) {
  if (!run.archive.empty()) return true;
  return run.back_to && run.back_to->trust_hash == run.trust_hash;
}

Status Pipeline::restore_images(const Run& run, PreparedStack& stack) {
  auto good = releases_.good_as_of(stack.config.id(), *run.back_to);
  if (!good) return tl::unexpected(good.error());
  return *good ? run.host_of(stack).images.restore(stack, (*good)->images, run.deadline) : Status();
}

}  // namespace windlass
