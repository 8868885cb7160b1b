// The stack locks that a run takes.
#include <algorithm>

#include "deploy/pipeline_run.h"

namespace windlass {

std::vector<StackId> Pipeline::missing_locks(const Run& run, const std::vector<StackId>& wanted) {
  std::vector<StackId> missing;
  std::ranges::copy_if(wanted, std::back_inserter(missing), [&](const StackId& id) {
    return std::ranges::none_of(run.locks, [&](const auto& held) { return std::ranges::count(held.stacks(), id) > 0; });
  });
  return missing;
}

// All of the artifact's, until everything that this run leads to has ended: between a release that failed and the one
// that comes back nobody else may deploy. The end of the job if somebody else has done so before a repair had them.
std::optional<JobOutcome> Pipeline::lock_stacks(Run& run, const Deadline& deadline) {
  std::vector<StackId> ids;
  for (const auto& stack : run.stacks) ids.push_back(stack.config.id());
  if (auto missing = missing_locks(run, ids); !missing.empty()) {
    auto locks = locks_.take(std::move(missing), deadline,
                             [&](const StackId& stack) { run.log_of(stack).info("waiting for stack lock"); });
    if (!locks) return JobOutcome::failed(FailedStep::deployment, locks.error().message, true);
    run.locks.push_back(*std::move(locks));
  }
  return find_overtaken(run, ids);
}

// What runs there is another stack of ours until now, which another job may be deploying. That is not waited for, with
// locks in hand that it may want.
Status Pipeline::lock_taken_over(Run& run, const std::vector<StackId>& others) {
  const std::lock_guard lock(*run.locks_mutex);
  auto missing = missing_locks(run, others);
  if (missing.empty()) return {};
  auto locks = locks_.take(std::move(missing), Deadline::in(std::chrono::milliseconds(0)));
  if (!locks) return tl::unexpected(locks.error());
  run.locks.push_back(*std::move(locks));
  return {};
}

}  // namespace windlass
