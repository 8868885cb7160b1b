#include "config/idle_keys.h"

#include <fmt/format.h>

#include "base/text.h"

namespace windlass {
namespace {

void check_swarm(KeyReader& read, std::string_view file, std::vector<std::string>& faults,
                 std::vector<std::string>& warnings) {
  const auto* node = read.take("swarm");
  if (node == nullptr || node->is_null()) return;
  if (node->kind != YamlNode::Kind::mapping) return read.wrong_type("swarm", "a mapping", *node);
  KeyReader members(*node, file, faults);
  for (const auto* key : {"config_retention", "secret_retention"}) {
    int kept = 0;
    members.integer(key, kept);
    if (kept < -1) members.fault(key, fmt::format("swarm.{} must be >= -1", key));
  }
  for (auto& unknown : members.unknown_keys()) warnings.push_back(std::move(unknown));
}

}  // namespace

void check_idle_keys(KeyReader& read, std::string_view file, std::vector<std::string>& faults,
                     std::vector<std::string>& warnings) {
  if (const auto* url = read.take("repository_url"); url != nullptr && !url->is_null() && !trim(url->text).empty())
    read.fault("repository_url", "repository_url is not supported for OCI sources");
  int depth = 0;
  read.integer("git_depth", depth);
  if (depth < 0) read.fault("git_depth", "git_depth must be >= 0");
  check_swarm(read, file, faults, warnings);
  bool either = false;
  for (const auto* key : {"wait_jobs", "wait_running_jobs"}) read.flag(key, either);
}

}  // namespace windlass
