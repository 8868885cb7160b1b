#include "deploy/loop_guard.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "deploy/pipeline_run.h"

namespace windlass {
namespace {

// What is there otherwise than the last deployment left it. A service without a container is none of it, somebody has
// removed that; nor is an image that is newer than the one of then.
std::vector<std::string> differences_of(const PreparedStack& stack, const std::optional<StackLoop>& before) {
  std::vector<std::string> differences;
  for (const auto& service : stack.plan.services) {
    if (service.action != ServiceAction::recreate && service.action != ServiceAction::remove &&
        service.action != ServiceAction::signal)
      continue;
    if (const auto moved = stack.moved_images.find(service.service); moved != stack.moved_images.end()) {
      const auto known = before ? before->moved.find(service.service) : decltype(before->moved.end())();
      if (!before || known == before->moved.end() || known->second != moved->second) continue;
    }
    differences.push_back(fmt::format("{}: {}", service.service, join(service.reasons, ", ")));
  }
  return differences;
}

constexpr std::string_view kLoopEnds = "until the artifact or its configuration changes, or a release is brought back";

std::set<std::string> references_of(const PreparedStack& stack) {
  std::set<std::string> references;
  for (const auto& [name, reference] : stack.config.external_secrets)
    if (!stack.external_secrets.one_time.contains(name)) references.insert(reference.text);
  return references;
}

}  // namespace

LoopDecision judge_loop(const std::optional<StackLoop>& before, StackLoop now, unsigned limit) {
  now.deployments = 1;
  if (!before || before->key != now.key) return {LoopVerdict::deploy, std::move(now)};
  if (before->looping_since) return {LoopVerdict::leave_alone, *before};
  now.recreated = before->recreated;
  now.moved.insert(before->moved.begin(), before->moved.end());
  now.deployments = before->deployments;
  if (now.differences.empty()) {
    now.differences = before->differences;
    return {LoopVerdict::deploy, std::move(now)};
  }
  if (before->recreated) return {LoopVerdict::stop, std::move(now)};
  now.recreated = ++now.deployments > limit;
  return {now.recreated ? LoopVerdict::recreate : LoopVerdict::deploy, std::move(now)};
}

Result<LoopDecision> LoopGuard::judge(const PreparedStack& stack, const std::string& key) {
  StackLoop now{
      .stack = stack.config.id(), .key = fmt::format("{} {}", key, stack.config_hash), .moved = stack.moved_images};
  if (limit_ == 0) return LoopDecision{LoopVerdict::deploy, std::move(now)};
  auto before = releases_.loop(stack.config.id());
  if (!before) return tl::unexpected(before.error());
  {
    const std::lock_guard lock(mutex_);
    const auto found = unchanged_.find(stack.config.id());
    if (*before && found != unchanged_.end() && found->second == (*before)->key) (*before)->deployments = 0;
  }
  now.differences = differences_of(stack, *before);
  return judge_loop(*before, std::move(now), limit_);
}

Status LoopGuard::stop(StackLoop loop) {
  loop.looping_since = clock_.now();
  return releases_.keep_loop(loop);
}

Status LoopGuard::deployed(StackLoop loop) {
  if (limit_ == 0) return releases_.forget_loop(loop.stack);  // it may have been left alone under another limit
  loop.deployed_at = clock_.now();
  {
    const std::lock_guard lock(mutex_);
    unchanged_.erase(loop.stack);
  }
  return releases_.keep_loop(loop);
}

Status LoopGuard::found_unchanged(const StackId& stack, const std::set<std::string>& references) {
  const auto loop = releases_.loop(stack);
  if (!loop) return tl::unexpected(loop.error());
  if (!*loop || !secrets_.has_said_since(references, (*loop)->deployed_at)) return {};
  if ((*loop)->deployments > 1) return releases_.forget_loop(stack);
  const std::lock_guard lock(mutex_);
  unchanged_[stack] = (*loop)->key;
  return {};
}

Status LoopGuard::forget(const StackId& stack) { return releases_.forget_loop(stack); }

// The stack's plan is made. A stack that asks for something at every run (force_recreate) gets it.
Status Pipeline::guard_against_loop(Run& run, PreparedStack& stack) {
  const auto id = stack.config.id();
  auto* loops = options_.loops;
  if (loops == nullptr || run.back_to || stack.config.destroy.enabled || !stack.filtered_because.empty() ||
      stack.config.force_recreate)
    return {};
  if (!stack.plan.changes_anything()) return run.is_look ? Status() : loops->found_unchanged(id, references_of(stack));
  auto decision = loops->judge(stack, run.is_look ? settled_.key(run.job.request, *run.digest) : run.key);
  if (!decision) return tl::unexpected(decision.error());
  auto& loop = decision->loop;
  for (auto& difference : loop.differences) difference = run.log.masked(difference);
  const auto differences = join(loop.differences, "; ");
  switch (decision->verdict) {
    case LoopVerdict::leave_alone:
      stack.is_looping = true;
      stack.filtered_because = fmt::format("looping since {} and left alone ({}) {}", to_rfc3339(*loop.looping_since),
                                           differences, kLoopEnds);
      return {};
    case LoopVerdict::stop:
      stack.is_looping = true;
      if (!run.is_look)
        if (auto stopped = loops->stop(loop); !stopped) return stopped;
      return fail(Kind::conflict,
                  fmt::format("it is looping: {} deployments of this release in a row changed something, and so would "
                              "the next ({}); it stays as it is {}",
                              loop.deployments, differences, kLoopEnds));
    case LoopVerdict::recreate:
      run.host_of(stack).preparer.recreate_all(
          stack, fmt::format("deployment {} of this release in a row that changes something", loop.deployments));
      break;
    case LoopVerdict::deploy:
      break;
  }
  stack.loop = std::move(loop);
  return {};
}

// After a deployment that went well. Without the record the next one is counted as this one.
void Pipeline::count_deployment(const Run& run, const PreparedStack& stack) {
  if (options_.loops == nullptr || (!run.back_to && !stack.loop)) return;
  if (is_repair(run.job.request)) return;
  // Whoever brings a release back wants it to be deployed, whatever was before.
  const auto kept = run.back_to ? options_.loops->forget(stack.config.id()) : options_.loops->deployed(*stack.loop);
  if (!kept)
    run.log.warning("deployment was not counted", {{"stack", stack.config.name}, {"error", kept.error().message}});
}

}  // namespace windlass
