// Checks a folder that is to become an artifact, with the eyes of the service that will deploy it (config 3, 4; oci 7).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/deploy_config.h"

namespace windlass {

struct FolderCheck {
  std::vector<std::string> faults;    // whatever would make a deployment fail; each names file, line and rule
  std::vector<std::string> warnings;  // unknown keys and the like
  std::vector<std::string> configs;   // the deploy configs that were found, sorted
  std::vector<std::string> stacks;    // names, in the order of configs and documents
};

// Every `.doco-cd.yaml`, `.doco-cd.yml` and `.doco-cd.<target>.yaml` of the folder's base dir, and of its root where
// the service looks too; the env files they name; and the compose files, which must be there and be YAML. No fault if
// there is no config: whether one is needed is for the caller to say.
FolderCheck check_folder(const std::filesystem::path& folder, const DeployConfigOptions& options);

}  // namespace windlass
