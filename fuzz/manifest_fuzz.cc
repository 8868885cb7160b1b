// Manifests and indexes: the first line is the Content-Type, the rest the document (oci 3.2).
#include <algorithm>

#include "fuzz/fuzz.h"
#include "oci/manifest.h"

namespace windlass {
namespace {

void check_descriptors(const std::vector<Descriptor>& descriptors) {
  for (const auto& descriptor : descriptors) {
    require(Digest::parse(descriptor.digest.str()) == descriptor.digest, "a digest is read again as itself");
    require(descriptor.size_bytes <= static_cast<std::uint64_t>(INT64_MAX), "a size fits a file");
  }
}

void check_manifest(const ImageManifest& manifest) {
  require(!manifest.layers.empty() && manifest.layers.size() <= kLayersMax, "1 to 128 layers");
  require(std::string_view(kManifestAccept).find(manifest.media_type) != std::string_view::npos,
          "a type that we ask for");
  check_descriptors(manifest.layers);
}

void check_index(const ImageIndex& index) {
  check_descriptors(index.children);
  const auto chosen = choose_child(index, host_platform());
  if (!chosen) return require_printable(chosen.error().message);
  require(std::any_of(index.children.begin(), index.children.end(),
                      [&](const auto& child) { return child.digest == chosen->digest; }),
          "the chosen child is one of the index");
}

}  // namespace

void fuzz(std::string_view input) {
  const auto type = input.substr(0, input.find('\n'));
  const auto bytes = input.substr(std::min(type.size() + 1, input.size()));
  const auto document = parse_manifest(bytes, type);
  if (!document) {
    require(document.error().kind == Kind::invalid, "a bad manifest is invalid");
    return require_printable(document.error().message);
  }
  if (const auto* manifest = std::get_if<ImageManifest>(&*document))
    check_manifest(*manifest);
  else
    check_index(std::get<ImageIndex>(*document));
}

}  // namespace windlass
