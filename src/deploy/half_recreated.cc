#include "deploy/half_recreated.h"

#include <algorithm>
#include <optional>
#include <string_view>

namespace windlass {
namespace {

constexpr std::size_t kIdDigits = 12;

// "web-page-1" of "0123456789ab_web-page-1"; nothing for any other name.
std::optional<std::string> final_name(std::string_view name) {
  if (name.size() <= kIdDigits + 1 || name[kIdDigits] != '_') return std::nullopt;
  if (name.substr(0, kIdDigits).find_first_not_of("0123456789abcdef") != name.npos) return std::nullopt;
  return std::string(name.substr(kIdDigits + 1));
}

}  // namespace

Result<int> settle_half_recreated(Engine& engine, std::vector<ContainerSummary>& containers, const Deadline& deadline) {
  int count = 0;
  for (auto container = containers.begin(); container != containers.end();) {
    const auto name = final_name(container->name);
    if (!name) {
      ++container;
      continue;
    }
    const bool old_is_there = std::any_of(containers.begin(), containers.end(),
                                          [&](const ContainerSummary& other) { return other.name == *name; });
    auto done = old_is_there ? engine.remove(container->id, deadline) : engine.rename(container->id, *name, deadline);
    if (!done) return while_doing("settling container " + container->name, done.error());
    ++count;
    if (old_is_there) {
      container = containers.erase(container);
    } else {
      container->name = *name;
      ++container;
    }
  }
  return count;
}

}  // namespace windlass
