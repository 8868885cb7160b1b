// Compose application artifacts, as `docker compose publish` makes them: each layer is one file of text (oci 4).
#pragma once

#include <string>
#include <vector>

#include "oci/artifact.h"
#include "oci/staged_tree.h"

namespace windlass {

bool is_compose_application(const FetchedArtifact& artifact);

// Compose files are joined into compose.yaml, in order, as documents of one file; files that they extend and files of
// variables get the name that their annotation gives them. Kind::invalid names layer and rule.
Status unpack_compose_application(StagedTree& tree, const std::vector<StoredLayer>& layers, const UnpackLimits& limits,
                                  std::vector<std::string>& notes);

}  // namespace windlass
