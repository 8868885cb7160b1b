// The manifests that are pushed, and their configs (OCI image-spec 1.1, manifest.md and config.md).
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "model/digest.h"
#include "oci/manifest.h"
#include "oci/packed_layer.h"
#include "sys/json.h"

namespace windlass {

json::object descriptor_json(std::string_view media_type, const Digest& digest, std::uint64_t size_bytes);

// The text of an image manifest: `more` are its members beside config, layers and what every one has.
std::string image_manifest(const std::string& config, json::array layers, json::object more);

// Tells artifacts that `windlass push` made from images that run.
extern const char* const kDeploymentArtifactType;

// The config of an image from scratch with that layer; no time, no author: equal layers, equal configs.
std::string push_config(const PackedLayer& layer);

// `annotations` are of the manifest; nothing else in it depends on who pushes, or when.
std::string push_manifest(const PackedLayer& layer, const std::map<std::string, std::string>& annotations);

}  // namespace windlass
