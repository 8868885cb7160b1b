// ADOPT_ALLOW: which stacks of somebody else an artifact may take over by `adopt: true` (docs/policy.md).
#pragma once

#include <string>
#include <vector>

#include "config/poll_config.h"

namespace windlass {

class SettingReader;

struct AllowedAdoption {
  std::string stack;   // "web", on another engine "edge/web" (StackId::str())
  std::string source;  // the repository that may: as written, "ghcr.io/acme/shop"

  auto operator<=>(const AllowedAdoption&) const = default;
};

std::vector<AllowedAdoption> read_adopt_allow(SettingReader& read, const ArtifactCheck& is_artifact);

}  // namespace windlass
