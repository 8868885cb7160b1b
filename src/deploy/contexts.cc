// The engines of a run: which stacks are on which, and what becomes of a run when one of them is away (deploy 12).
#include "base/parallel.h"
#include "deploy/pipeline_run.h"

namespace windlass {
namespace {

constexpr auto kAskTimeout = std::chrono::seconds(20);
constexpr std::size_t kAskedAtOnce = 8;

}  // namespace

// Y8: files that one engine's containers mount change when that engine's stacks do, and not before.
Result<std::map<std::string, std::string>> Pipeline::live_paths(const Run& run, const std::string& plain_path) {
  const auto& request = run.job.request;
  std::map<std::string, std::string> paths;
  for (const auto& stack : run.stacks) paths[stack.config.context];
  if (paths.empty()) paths[""];
  for (auto& [context, path] : paths) {
    const LiveTenant tenant{request.source_id, request.ref, request.ref_is_digest, context};
    auto found = run.is_look ? live_.path_to_be(tenant, plain_path) : live_.path_for(tenant, plain_path);
    if (!found) return tl::unexpected(found.error());
    path = *std::move(found);
  }
  return paths;
}

// Y1, Y5. Nobody asks the default engine, which was asked at the start, unless there are others: an engine that is away
// fails its own stacks only.
void Pipeline::find_hosts(Run& run) {
  std::vector<std::string> contexts;
  for (const auto& stack : run.stacks)
    if (stack.filtered_because.empty() && run.hosts.try_emplace(stack.config.context).second)
      contexts.push_back(stack.config.context);
  const bool is_default_only = contexts == std::vector<std::string>{""};
  const auto asked = for_each_index(contexts.size(), kAskedAtOnce,
                                    [&](std::size_t index) { return ask_host(run, contexts[index], is_default_only); });
  for (std::size_t index = 0; index < contexts.size(); ++index) {
    if (asked[index]) continue;
    run.away.insert(contexts[index]);
    for (std::size_t at = 0; at < run.stacks.size(); ++at)
      if (run.stacks[at].config.context == contexts[index] && run.stacks[at].filtered_because.empty())
        run.errors[at] = asked[index].error();
  }
}

Status Pipeline::ask_host(Run& run, const std::string& context, bool is_certain) {
  auto host = hosts_.host_of(context);
  if (!host) return tl::unexpected(host.error());
  auto& engine = (*host)->engine;
  run.hosts.at(context) = *std::move(host);  // its place is there: others look for theirs at the same time
  if (is_certain) return {};
  const auto info = engine.info(run.deadline.within(kAskTimeout));
  if (!info) return tl::unexpected(info.error());
  const auto usable = context.empty() ? Status() : options_.check_engine(*info);
  return usable ? usable : while_doing("docker context " + context, usable.error());
}

// Those of the run, and those on which an earlier one has left stacks.
std::vector<std::string> Pipeline::contexts_to_clean(const Run& run) {
  std::set<std::string> contexts;
  for (const auto& stack : run.stacks) contexts.insert(stack.config.context);
  if (contexts.empty()) contexts.insert("");
  const auto known = releases_.discovered(run.job.request);
  if (!known) run.log.error("obsolete stacks are not known", {{"error", known.error().message}});
  if (known)
    for (const auto& stack : *known) contexts.insert(stack.id.context);
  for (const auto& context : run.away) contexts.erase(context);
  return {contexts.begin(), contexts.end()};
}

}  // namespace windlass
