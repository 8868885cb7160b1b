#include "oci/push_manifest.h"

#include "sys/crypto.h"

namespace windlass {
namespace {

// By these oras unpacks the layer into the folder that it pulls into; without a title it would leave the layer out.
json::object oras_annotations(const PackedLayer& layer) {
  return {{"io.deis.oras.content.digest", layer.diff_id.str()},
          {"io.deis.oras.content.unpack", "true"},
          {"org.opencontainers.image.title", "."}};
}

}  // namespace

const char* const kDeploymentArtifactType = "application/vnd.windlass.deployment.v1";

std::string push_config(const PackedLayer& layer) {
  return canonical_json(json::object{
      {"architecture", "amd64"},  // what doco-cd asks for on every machine
      {"config", json::object()},
      {"os", "linux"},
      {"rootfs", json::object{{"diff_ids", json::array{json::string(layer.diff_id.str())}}, {"type", "layers"}}},
  });
}

json::object descriptor_json(std::string_view media_type, const Digest& digest, std::uint64_t size_bytes) {
  return {{"mediaType", media_type}, {"digest", digest.str()}, {"size", size_bytes}};
}

std::string image_manifest(const std::string& config, json::array layers, json::object more) {
  more["schemaVersion"] = 2;
  more["mediaType"] = kManifestMediaType;
  more["config"] = descriptor_json("application/vnd.oci.image.config.v1+json",
                                   Digest::of_sha256_hex(sha256_hex(config)), config.size());
  more["layers"] = std::move(layers);
  return canonical_json(more);
}

std::string push_manifest(const PackedLayer& layer, const std::map<std::string, std::string>& annotations) {
  auto only_layer = descriptor_json(layer.media_type, layer.digest, layer.size_bytes);
  if (layer.media_type.ends_with("+gzip")) only_layer["annotations"] = oras_annotations(layer);
  json::object more{{"artifactType", kDeploymentArtifactType}};
  if (!annotations.empty()) {
    json::object all;
    for (const auto& [key, value] : annotations) all[key] = value;
    more["annotations"] = std::move(all);
  }
  return image_manifest(push_config(layer), json::array{std::move(only_layer)}, std::move(more));
}

}  // namespace windlass
