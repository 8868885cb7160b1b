#include "oci/registry.h"

#include <fmt/format.h>

#include <algorithm>

#include "oci/blob_client.h"
#include "oci/content_store.h"
#include "oci/manifest.h"
#include "oci/manifest_client.h"
#include "oci/referrers.h"
#include "oci/registry_access.h"
#include "sys/files.h"

namespace windlass {
namespace {

class HttpRegistry final : public Registry {
 public:
  HttpRegistry(const RegistryOptions& options, HttpTransport& transport, CredentialSource& credentials,
               ContentStore& store, const Clock& clock, Log log)
      : access_(options, transport, credentials, clock, std::move(log)),
        manifests_(access_, store),
        blobs_(access_, store, options.layers_bytes_max) {}

  void use(std::vector<RegistryRule> rules) override { access_.use(std::move(rules)); }

  std::optional<std::chrono::seconds> left_alone_for(const Reference& repository) override {
    return access_.left_alone_for(repository);
  }

  Result<std::optional<Digest>> tag_digest(const Reference& reference, const Deadline& deadline) override {
    return manifests_.digest_of_tag(reference, deadline);
  }

  Result<TagLook> look_at_tag(const Reference& reference, const std::optional<TagView>& last,
                              const Deadline& deadline) override {
    return manifests_.look_at_tag(reference, last, deadline);
  }

  Result<std::optional<ManifestBytes>> manifest(const Reference& repository, const Digest& digest,
                                                const Deadline& deadline) override {
    return manifests_.by_digest(repository, digest, deadline);
  }

  Result<std::optional<ManifestBytes>> present_manifest(const Reference& repository, const Digest& digest,
                                                        const Deadline& deadline) override {
    return manifests_.present(repository, digest, deadline);
  }

  Result<std::optional<ManifestBytes>> manifest_at_tag(const Reference& repository, const std::string& tag,
                                                       const Deadline& deadline) override {
    return manifests_.by_tag(repository, tag, deadline);
  }

  Status referrers(const Reference& repository, const Digest& digest, const SeeReferrer& see,
                   const Deadline& deadline) override {
    return list_referrers(access_, manifests_, repository, digest, see, deadline);
  }

  Result<std::string> blob(const Reference& repository, const Descriptor& blob, std::uint64_t bytes_max,
                           const Deadline& deadline) override {
    if (blob.size_bytes > bytes_max)
      return fail(Kind::invalid,
                  fmt::format("blob {} has {} bytes, limit {}", blob.digest.str(), blob.size_bytes, bytes_max));
    auto file = blobs_.fetch(repository, blob, deadline);
    return file ? read_file(*file, bytes_max) : tl::unexpected(file.error());
  }

  Result<bool> is_child_of(const Reference& repository, const Digest& child, const Digest& parent,
                           const Deadline& deadline) override {
    auto document = manifests_.document(repository, parent, deadline);
    if (!document) return tl::unexpected(document.error());
    const auto* index = std::get_if<ImageIndex>(&*document);
    return index && std::any_of(index->children.begin(), index->children.end(),
                                [&](const auto& each) { return each.digest == child; });
  }

  Result<FetchedArtifact> fetch(const Reference& repository, const Digest& digest, const Deadline& deadline) override {
    auto manifest_digest = digest;
    auto document = manifests_.document(repository, digest, deadline);
    for (int depth = 1; document && std::holds_alternative<ImageIndex>(*document); ++depth) {
      if (depth > kIndexDepthMax)
        return fail(Kind::invalid, fmt::format("index {} is nested deeper than {}", digest.str(), kIndexDepthMax));
      auto child = choose_child(std::get<ImageIndex>(*document), host_platform());
      if (!child) return tl::unexpected(child.error());
      manifest_digest = child->digest;
      document = manifests_.document(repository, child->digest, deadline, child->size_bytes);
    }
    if (!document) return tl::unexpected(document.error());
    auto& image = std::get<ImageManifest>(*document);
    auto layers = blobs_.fetch_layers(repository, image.layers, deadline);
    if (!layers) return tl::unexpected(layers.error());
    return FetchedArtifact{digest, manifest_digest, std::move(image.artifact_type), std::move(*layers)};
  }

 private:
  RegistryAccess access_;
  ManifestClient manifests_;
  BlobClient blobs_;
};

}  // namespace

std::string left_alone_reason(const Reference& repository, std::chrono::seconds left) {
  return fmt::format("{} wants to be left alone for {} s more", repository.registry(), left.count());
}

std::unique_ptr<Registry> Registry::make(const RegistryOptions& options, HttpTransport& transport,
                                         CredentialSource& credentials, ContentStore& store, const Clock& clock,
                                         Log log) {
  return std::make_unique<HttpRegistry>(options, transport, credentials, store, clock, std::move(log));
}

}  // namespace windlass
