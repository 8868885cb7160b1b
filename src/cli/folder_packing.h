// A folder that is to become an artifact: checked with the eyes of the service, then packed (config 3, 4; oci 7, 8).
#pragma once

#include <string>
#include <vector>

#include "cli/progress.h"
#include "config/folder_check.h"
#include "config/settings.h"
#include "oci/packed_layer.h"

namespace windlass {

struct FolderOrder {
  std::string folder;
  LayerCompression compression = LayerCompression::gzip;
  bool needs_config = true;
  bool is_strict = false;  // unknown keys are faults
};

struct CheckedFolder {
  PackingList list;
  FolderCheck configs;
};

// All faults at once, one a line, Kind::invalid. `environment` may hold what the service has: DEPLOY_CONFIG_BASE_DIR
// and the limits of unpacking. Warnings are said.
Result<CheckedFolder> check_to_pack(const FolderOrder& order, const Environment& environment, Progress& progress);

// The same, then the layer.
Result<PackedLayer> pack_folder(const FolderOrder& order, const Environment& environment, Progress& progress);

}  // namespace windlass
