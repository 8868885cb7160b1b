// What goes (config 9, `destroy`; deploy/R5, R9 to R17): live directories that nothing runs from any more, and stacks
// whose folder auto-discovery does not find any more.
#include <fmt/format.h>

#include "deploy/pipeline_run.h"

namespace windlass {

// All of the artifact's stacks on this engine are taken down. Only what releases put there goes, unless the data is
// asked for as well.
void Pipeline::remove_live_directory(Run& run, const std::string& context, const std::string& live_path) {
  const auto asks = [&](auto flag) {
    return std::all_of(run.stacks.begin(), run.stacks.end(), [&](const auto& stack) {
      return stack.config.context != context || stack.config.destroy.*flag;
    });
  };
  const auto others = releases_.stacks_of(run.job.request.source_id, context);
  if (!asks(&Destroy::remove_dir) || !others || !others->empty()) return;
  const auto user =
      run.hosts.at(context)->preparer.container_that_mounts(options_.host_data_dir + "/" + live_path, run.deadline);
  if (!user || !user->empty())
    return run.log.warning("live directory stays: a container of somebody else mounts something of it",
                           {{"live_directory", live_path}, {"container", user ? *user : user.error().message}});
  const UnpackedTree nothing{.root = options_.data_dir};  // nothing is read from it
  auto removed = live_.sync(live_path, nothing, *run.digest, {.force = true}, run.deadline);
  const auto gone = removed ? live_.remove(live_path, asks(&Destroy::remove_data))
                            : Result<bool>(tl::unexpected(removed.error().error));
  if (!gone)
    run.log.warning("live directory was not removed", {{"live_directory", live_path}, {"error", gone.error().message}});
  else if (*gone)
    run.log.info("live directory removed", {{"live_directory", live_path}});
  else
    run.log.info("live directory holds data and stays, without the files of the release",
                 {{"live_directory", live_path}});
}

// On all engines that answer. What is on another one is looked for again by the next run.
std::vector<DiscoveredStack> Pipeline::discovered(Run& run) {
  std::vector<DiscoveredStack> all;
  for (const auto& context : contexts_to_clean(run)) {
    auto& host = run.hosts[context];
    auto found = host ? Result<std::shared_ptr<DockerHost>>(host) : hosts_.host_of(context);
    if (found) host = *found;
    auto stacks = found ? host->preparer.discovered(run.job.request, run.deadline)
                        : Result<std::vector<DiscoveredStack>>(tl::unexpected(found.error()));
    if (stacks) {
      std::ranges::move(*stacks, std::back_inserter(all));
      continue;
    }
    run.log.error("obsolete stacks are not known", {{"context", context}, {"error", stacks.error().message}});
    const bool is_deleted = !found && found.error().kind == Kind::not_found;  // a look at every poll would not help
    run.leaves_obsolete = run.leaves_obsolete || (!context.empty() && !is_deleted);
  }
  return all;
}

// After the others are well. The newest word counts: what the documents say now, else what they said when it was
// deployed.
void Pipeline::remove_obsolete(Run& run, const DeployConfigs& configs) {
  bool any_is_left = false;
  std::vector<DiscoveredStack> obsolete;
  for (auto& stack : discovered(run)) {
    const bool is_there = std::any_of(run.stacks.begin(), run.stacks.end(),
                                      [&](const auto& other) { return other.config.id() == stack.id; });
    any_is_left = any_is_left || is_there;
    if (configs.discoveries.size() == 1) stack.rules = configs.discoveries.front();
    if (!is_there && stack.rules.remove) obsolete.push_back(std::move(stack));
  }
  for (const auto& stack : obsolete) {
    if (!any_is_left && !stack.rules.remove_all) {  // more often a slip than meant
      run.log_of(stack.id).warning("every discovered stack is gone: none is removed without auto_discovery.delete_all");
      continue;
    }
    const auto removed = remove_one(run, stack);
    if (removed && *removed == Obsolete::busy) run.leaves_obsolete = true;
    if (removed && *removed != Obsolete::removed) continue;
    PreparedStack gone{.config = {.name = stack.id.name, .context = stack.id.context}};
    gone.plan = {.stack = stack.id.name, .services = {}, .reasons = {"its folder is gone: the stack is taken down"}};
    run.stacks.push_back(std::move(gone));
    run.errors.push_back(removed ? std::nullopt : std::optional(removed.error()));
    run.touched = true;
  }
}

Result<Pipeline::Obsolete> Pipeline::remove_one(Run& run, const DiscoveredStack& obsolete) {
  const auto log = run.log_of(obsolete.id);
  auto& host = *run.hosts.at(obsolete.id.context);
  // Not waited for: the job that has it may wait for one of ours, and is about to say what becomes of it.
  auto lock = locks_.take({obsolete.id}, Deadline::in({}, run.deadline.stop));
  if (!lock) {
    log.info("stack is gone from this artifact and left alone: another job deploys it");
    return Obsolete::busy;
  }
  auto slot = places_.take(run.deadline);
  if (!slot) return tl::unexpected(slot.error());
  // Another tag may have taken it over meanwhile.
  const auto still = host.preparer.discovered(run.job.request, run.deadline);
  if (!still) return tl::unexpected(still.error());
  if (std::none_of(still->begin(), still->end(), [&](const auto& stack) { return stack.id == obsolete.id; }))
    return Obsolete::taken_over;
  PreparedStack stack{.config = {.name = obsolete.id.name, .context = obsolete.id.context}};
  if (auto planned = host.preparer.plan_removal(run.job, stack, {}, run.deadline); !planned)
    return tl::unexpected(planned.error());
  log.info("stack is obsolete: its folder is gone");
  const Removal removal{.volumes = obsolete.rules.remove_volumes, .images = obsolete.rules.remove_images};
  if (auto down = host.deployment.take_down(origin_of(run), stack, removal, log, run.deadline); !down)
    return tl::unexpected(down.error());
  return Obsolete::removed;
}

}  // namespace windlass
