#include "deploy/ownership.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "deploy/labels.h"

namespace windlass {

Result<OwnedStack> Ownership::check(const JobRequest& request, const DeployConfig& config, const Deadline& deadline) {
  OwnedStack stack;
  auto containers = engine_.containers({project_filter(config.name)}, deadline);
  if (!containers) return tl::unexpected(containers.error());
  stack.containers = *std::move(containers);
  auto record = releases_.stack(config.id());
  if (!record) return tl::unexpected(record.error());
  stack.record = *std::move(record);

  if (auto own = check_instance(stack, request, config); !own) return tl::unexpected(own.error());
  // Without containers there is still what is in its volumes.
  bool foreign = stack.record && stack.record->source_id != request.source_id &&
                 (!stack.containers.empty() || adoptable_.has_value());
  for (const auto& container : stack.containers) foreign = foreign || !belongs_to(container, request);
  const auto volumes = look_at_volumes(stack, request, config, deadline);
  if (!volumes) return tl::unexpected(volumes.error());
  const auto aliases = look_at_aliases(stack, request, config);
  if (!aliases) return tl::unexpected(aliases.error());
  if (foreign || *volumes || *aliases)
    if (auto may = may_adopt(request, config, kSomebodyElses); !may) return tl::unexpected(may.error());
  return stack;
}

Status Ownership::check_instance(const OwnedStack& stack, const JobRequest& request, const DeployConfig& config) const {
  for (const auto& container : stack.containers)
    if (const auto other = other_instance(container.labels, instance_); !other.empty())
      if (auto may =
              may_adopt(request, config, "the stack belongs to the windlass with INSTANCE_ID " + printable(other, 64));
          !may)
        return may;
  return {};
}

// Of a stack that nobody knows and that has no containers; only doco-cd's volumes name their source (L24).
Result<bool> Ownership::look_at_volumes(OwnedStack& stack, const JobRequest& request, const DeployConfig& config,
                                        const Deadline& deadline) {
  if (stack.record || !stack.containers.empty()) return false;
  const auto last = releases_.releases({.stack = config.name, .context = config.context}, 1);
  if (!last) return tl::unexpected(last.error());
  const bool was_own = !last->empty() && last->front().request.source_id == request.source_id;
  const auto volumes = engine_.volumes({project_filter(config.name)}, deadline);
  if (!volumes) return tl::unexpected(volumes.error());
  bool foreign = false;
  for (const auto& volume : *volumes) {
    const bool is_own = is_managed(volume.labels) && belongs_to(volume.labels, request);
    if (is_managed(volume.labels))
      foreign = foreign || !is_own;
    else
      foreign = foreign || (adoptable_ && !was_own);
    stack.has_old_volumes = stack.has_old_volumes || is_own;
  }
  return foreign;
}

// Two contexts may lead to one engine, where a name is one project's: what runs there are other stacks of ours.
Result<bool> Ownership::look_at_aliases(OwnedStack& stack, const JobRequest& request, const DeployConfig& config) {
  std::map<StackId, std::string> aliases;  // with the sources that they are of
  for (const auto& container : stack.containers) {
    const StackId other{.name = config.name, .context = container.label(kContextLabel)};
    if (other == config.id() || container.label(kReleaseLabel).empty()) continue;
    const auto record = releases_.stack(other);
    if (!record) return tl::unexpected(record.error());
    if (*record) aliases[other] = (*record)->source_id;
  }
  if (!aliases.empty() && !config.adopt)
    return fail(Kind::conflict,
                fmt::format("stack {} runs on the same engine: two contexts lead there", aliases.begin()->first.str()));
  bool foreign = false;
  for (const auto& [other, source_id] : aliases) {
    foreign = foreign || source_id != request.source_id;
    stack.taken_over.push_back(other);
  }
  return foreign;
}

// An artifact that says `adopt` asks; under restricted, or with ADOPT_ALLOW, the operator answers.
Status Ownership::may_adopt(const JobRequest& request, const DeployConfig& config, std::string_view obstacle) const {
  const AllowedAdoption asked{.stack = config.id().str(), .source = request.source_id};
  if (adoptable_ && std::ranges::find(*adoptable_, asked) == adoptable_->end())
    return fail(
        config.adopt ? Kind::denied : Kind::conflict,
        fmt::format("{}: only ADOPT_ALLOW={}={}, a setting of windlass, lets this repository take it over, with "
                    "adopt: true",
                    obstacle, asked.stack, asked.source));
  if (!config.adopt) return fail(Kind::conflict, fmt::format("{}: adopt: true takes it over", obstacle));
  return {};
}

}  // namespace windlass
