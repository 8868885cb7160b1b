// What goes (config 9, `destroy`; deploy/R5, R9 to R17): live directories that nothing runs from any more, and stacks
// whose folder auto-discovery does not find any more.
#include <fmt/format.h>

#include "deploy/pipeline_run.h"

namespace windlass {

// All stacks of the artifact are taken down. Only what releases put there goes, unless the data is asked for as well.
void Pipeline::remove_live_directory(Run& run, const std::string& live_path, const UnpackedTree& tree) {
  const auto asks = [&](auto flag) {
    return std::all_of(run.stacks.begin(), run.stacks.end(),
                       [&](const auto& stack) { return stack.config.destroy.*flag; });
  };
  const auto others = releases_.stacks_of(run.job.request.source_id);
  if (!asks(&Destroy::remove_dir) || !others || !others->empty()) return;
  const auto user = preparer_.container_that_mounts(options_.host_data_dir + "/" + live_path, run.deadline);
  if (!user || !user->empty())
    return run.log.warning("live directory stays: a container of somebody else mounts something of it",
                           {{"live_directory", live_path}, {"container", user ? *user : user.error().message}});
  const UnpackedTree nothing{.root = tree.root};
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

// After the others are well. The newest word counts: what the documents say now, else what they said when it was
// deployed.
void Pipeline::remove_obsolete(Run& run, const DeployConfigs& configs) {
  auto stacks = preparer_.discovered(run.job.request, run.deadline);
  if (!stacks) return run.log.error("obsolete stacks are not known", {{"error", stacks.error().message}});
  bool any_is_left = false;
  std::vector<DiscoveredStack> obsolete;
  for (auto& stack : *stacks) {
    const bool is_there = std::any_of(run.stacks.begin(), run.stacks.end(),
                                      [&](const auto& other) { return other.config.name == stack.name; });
    any_is_left = any_is_left || is_there;
    if (configs.discoveries.size() == 1) stack.rules = configs.discoveries.front();
    if (!is_there && stack.rules.remove) obsolete.push_back(std::move(stack));
  }
  for (const auto& stack : obsolete) {
    if (!any_is_left && !stack.rules.remove_all) {  // more often a slip than meant
      run.log.warning("every discovered stack is gone: none is removed without auto_discovery.delete_all",
                      {{"stack", stack.name}});
      continue;
    }
    const auto removed = remove_obsolete(run, stack);
    if (removed && *removed == Obsolete::busy) run.leaves_obsolete = true;
    if (removed && *removed != Obsolete::removed) continue;
    PreparedStack gone{.config = {.name = stack.name}};
    gone.plan = {.stack = stack.name, .services = {}, .reasons = {"its folder is gone: the stack is taken down"}};
    run.stacks.push_back(std::move(gone));
    run.errors.push_back(removed ? std::nullopt : std::optional(removed.error()));
    run.touched = true;
  }
}

Result<Pipeline::Obsolete> Pipeline::remove_obsolete(Run& run, const DiscoveredStack& obsolete) {
  const auto log = run.log.with({{"stack", obsolete.name}});
  // Not waited for: the job that has it may wait for one of ours, and is about to say what becomes of it.
  auto lock = locks_.take({obsolete.name}, Deadline::in({}, run.deadline.stop));
  if (!lock) {
    log.info("stack is gone from this artifact and left alone: another job deploys it");
    return Obsolete::busy;
  }
  auto slot = places_.take(run.deadline);
  if (!slot) return tl::unexpected(slot.error());
  const auto still =
      preparer_.discovered(run.job.request, run.deadline);  // another tag may have taken it over meanwhile
  if (!still) return tl::unexpected(still.error());
  if (std::none_of(still->begin(), still->end(), [&](const auto& stack) { return stack.name == obsolete.name; }))
    return Obsolete::taken_over;
  PreparedStack stack{.config = {.name = obsolete.name}};
  if (auto planned = preparer_.plan_removal(run.job, stack, run.deadline); !planned)
    return tl::unexpected(planned.error());
  log.info("stack is obsolete: its folder is gone");
  const Removal removal{.volumes = obsolete.rules.remove_volumes, .images = obsolete.rules.remove_images};
  if (auto down = deployment_.take_down(origin_of(run), stack, removal, log, run.deadline); !down)
    return tl::unexpected(down.error());
  return Obsolete::removed;
}

}  // namespace windlass
