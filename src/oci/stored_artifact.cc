#include "oci/stored_artifact.h"

#include <algorithm>
#include <optional>

#include "oci/manifest.h"
#include "sys/files.h"

namespace windlass {
namespace {

std::optional<ManifestDocument> document(ContentStore& store, const Digest& digest) {
  const auto file = store.find(digest);
  if (file.empty()) return std::nullopt;
  const auto bytes = read_file(file, kManifestBytesMax);
  if (!bytes) return std::nullopt;
  auto parsed = parse_manifest(*bytes, "");
  return parsed ? std::optional(*std::move(parsed)) : std::nullopt;
}

}  // namespace

std::vector<Digest> blobs_of(ContentStore& store, const Digest& digest) {
  std::vector<Digest> blobs{digest};
  for (int depth = 0; depth <= kIndexDepthMax; ++depth) {
    const auto manifest = document(store, blobs.back());
    if (!manifest) return {};
    if (const auto* image = std::get_if<ImageManifest>(&*manifest)) {
      for (const auto& layer : image->layers) blobs.push_back(layer.digest);
      return blobs;
    }
    const auto child = choose_child(std::get<ImageIndex>(*manifest), host_platform());
    if (!child) return {};
    blobs.push_back(child->digest);
  }
  return {};
}

bool is_whole(ContentStore& store, const Digest& digest) {
  const auto blobs = blobs_of(store, digest);
  return !blobs.empty() &&
         std::all_of(blobs.begin(), blobs.end(), [&](const Digest& blob) { return !store.find(blob).empty(); });
}

}  // namespace windlass
