// Manifests and indexes as plain data (OCI image-spec 1.1, Docker image manifest 2; oci 3.2).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "model/digest.h"

namespace windlass {

struct Platform {
  std::string os, architecture;
  bool operator==(const Platform&) const = default;
};

struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size_bytes = 0;
  std::map<std::string, std::string> annotations;
  std::string artifact_type;
  std::optional<Platform> platform;
  std::optional<std::string> data;  // the content itself, decoded
};

struct ImageManifest {
  std::string media_type;
  std::string artifact_type;  // its own, else the media type of the config
  std::vector<Descriptor> layers;
};

struct ImageIndex {
  std::string media_type;
  std::vector<Descriptor> children;
};

using ManifestDocument = std::variant<ImageManifest, ImageIndex>;

// "Accept" of every request for a manifest.
extern const char* const kManifestAccept;
constexpr const char* kManifestMediaType = "application/vnd.oci.image.manifest.v1+json";
constexpr const char* kIndexType = "application/vnd.oci.image.index.v1+json";
constexpr std::size_t kManifestBytesMax = 4 << 20;
constexpr int kIndexDepthMax = 2;                  // indexes above a manifest, when it is fetched and when it is kept
constexpr std::size_t kLayersMax = 128;            // of an artifact that is unpacked
constexpr std::size_t kSignatureLayersMax = 1000;  // of a manifest whose layers are signatures (oci 12)

// `content_type` is the header that came with the bytes, "" if there was none. It and the document's own mediaType must
// agree; schema 1, a document that is both manifest and index or has a key twice, and descriptors with foreign URLs are
// refused.
Result<ManifestDocument> parse_manifest(std::string_view bytes, std::string_view content_type,
                                        std::size_t layers_max = kLayersMax);

// The child whose layers are wanted: linux/amd64 (or no platform), the compose artifact, `host`, the only real one.
Result<Descriptor> choose_child(const ImageIndex& index, const Platform& host);

// The platform that this program was built for.
Platform host_platform();

}  // namespace windlass
