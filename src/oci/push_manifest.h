// The manifest of a pushed artifact and its config (OCI image-spec 1.1, manifest.md and config.md).
#pragma once

#include <map>
#include <string>

#include "oci/packed_layer.h"

namespace windlass {

// Tells artifacts that `windlass push` made from images that run.
extern const char* const kDeploymentArtifactType;

// The config of an image from scratch with that layer; no time, no author: equal layers, equal configs.
std::string push_config(const PackedLayer& layer);

// `annotations` are of the manifest; nothing else in it depends on who pushes, or when.
std::string push_manifest(const PackedLayer& layer, const std::map<std::string, std::string>& annotations);

}  // namespace windlass
