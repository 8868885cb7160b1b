// The way back (deploy/V2 to V6): by itself when a stack that asks for it fails, or by an operator's hand.
//
// What comes back is an artifact: the stacks of one artifact share files and were good together, so all of them that
// this target deploys go back to what they were when the release was good. Files come from the content store, images
// from the engine; the registry is not needed.
#include <fmt/format.h>

#include "base/crash_point.h"
#include "deploy/pipeline_run.h"

namespace windlass {
namespace {

std::string in_words(const Release& release) { return revision_to(release.request, *release.request.digest); }

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

// deploy/V6: what failed before anything was touched, or by a fault that passes, says nothing against the release.
void Pipeline::answer_failure(Run& run, JobOutcome& outcome) {
  if (!run.touched || outcome.passing_fault) return;
  auto release = release_to_go_back_to(run);
  if (!release)
    add_to_message(outcome, "; rollback failed: " + release.error().message);
  else if (*release)
    outcome = roll_back(run, **release, std::move(outcome));
  else if (std::any_of(run.stacks.begin(), run.stacks.end(),
                       [](const auto& stack) { return stack.asks_for_rollback(); }))
    add_to_message(outcome, "; there is no earlier good release to go back to, its containers are left for inspection");
  if (!outcome.passing_fault) remember_bad(run);
}

void Pipeline::remember_bad(const Run& run) {
  if (auto kept = settled_.end_badly(run.job.request, run.key); !kept)
    run.log.error("failed release was not remembered", {{"error", kept.error().message}});
}

// Nothing when no stack that failed asks for it and has been good before.
Result<std::optional<Release>> Pipeline::release_to_go_back_to(const Run& run) {
  std::vector<std::string> stacks;
  for (const auto& stack : run.stacks) stacks.push_back(stack.config.name);
  auto release = releases_.last_good(run.job.request, stacks, run.job.id);
  if (!release || !*release) return release;
  for (const auto& stack : run.stacks) {
    if (!stack.asks_for_rollback()) continue;
    auto good = releases_.good_as_of(stack.config.name, **release);
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
  const auto back = bring_back(run, release);
  if (run.deadline.stop.stop_requested() && !is_good(back)) {  // the next start goes on with it
    failed.passing_fault = true;
    return failed;
  }
  (void)releases_.end_rollback(run.job.id);
  if (is_good(back)) {
    run.log.info("rolled back", {{"release", release.id}, {"revision", in_words(release)}});
    add_to_message(failed, "; rolled back to " + in_words(release));
    take_back_neighbours(failed, in_words(release));
  } else {
    add_to_message(failed, "; rollback failed: " + back.run_message());
  }
  return failed;
}

JobOutcome Pipeline::go_on_with_rollback(Run& run, const BegunRollback& begun) {
  run.digest = begun.digest;
  run.key = settled_.key(run.job.request, begun.digest);
  auto failed = JobOutcome::failed(FailedStep::deployment, begun.reason);
  auto release = releases_.release(begun.release_id);
  if (!release) return state_fault(release.error());  // it goes on at the next attempt
  if (!*release) {
    (void)releases_.end_rollback(run.job.id);
    failed.message += "; rollback failed: its release is gone";
    return failed;
  }
  auto outcome = roll_back(run, **release, std::move(failed));
  if (!outcome.passing_fault) remember_bad(run);
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
  if (is_good(outcome) && left && *left != *run.digest) {
    run.key = settled_.key(request, *left);
    remember_bad(run);
  }
  return outcome;
}

// The way back without anything to go back from: what runs is not what was deployed.
JobOutcome Pipeline::repair(Run& run, const LaneHistory& history) {
  const auto& request = run.job.request;
  const auto stack = request.service.substr(0, request.service.find(' '));
  auto release = stack.empty() ? releases_.good_release_of(request, *request.digest) : releases_.good_release(stack);
  if (!release) return state_fault(release.error());
  if (!*release) return JobOutcome::skipped(fmt::format("no good release of {} is known", revision_of(request)));
  // What was deployed while this job waited is what counts.
  const bool is_newest = stack.empty() ? history.last == request.digest : (*release)->digest == request.digest->str();
  if (!is_newest) return JobOutcome::skipped("another release was deployed meanwhile");
  if (auto moved = move_to_last(**release, history); !moved) return state_fault(moved.error());
  run.tell_revision(in_words(**release));
  return bring_back(run, **release, request.cause);
}

// A later digest that changed no service has left no release, but its files and rules.
Status Pipeline::move_to_last(Release& release, const LaneHistory& history) {
  if (!history.last || *history.last == release.request.digest) return {};
  const auto is_at_it = settled_.ended_well_with(release.request, *history.last);
  if (!is_at_it) return tl::unexpected(is_at_it.error());
  if (*is_at_it) {
    release.request.digest = history.last;
    release.digest = history.last->str();
  }
  return {};
}

// The same walk as of any release, with its request of then.
JobOutcome Pipeline::bring_back(const Run& run, const Release& release, std::string_view cause) {
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
           .back_to = release};
  if (auto noted = settled_.begin(release.request); !noted) return state_fault(noted.error());
  return deploy(back);
}

// A release that comes back was trusted when it was deployed, under the very same policies; to ask again would need the
// registry. Of an archive that is only looked at nothing will run.
bool Pipeline::is_beyond_doubt(const Run& run) {
  if (!run.archive.empty()) return true;
  return run.back_to && run.back_to->trust_hash == settled_.trust_hash(run.job.request);
}

Status Pipeline::restore_images(const Run& run, PreparedStack& stack) {
  auto good = releases_.good_as_of(stack.config.name, *run.back_to);
  if (!good) return tl::unexpected(good.error());
  return *good ? images_.restore(stack, (*good)->images, run.deadline) : Status();
}

}  // namespace windlass
