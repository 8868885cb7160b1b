// Manifests of a repository by tag and by digest, kept in the content store (oci 3.2).
#pragma once

#include <optional>
#include <string>

#include "oci/content_store.h"
#include "oci/manifest.h"
#include "oci/registry.h"
#include "oci/registry_access.h"

namespace windlass {

class ManifestClient {
 public:
  ManifestClient(RegistryAccess& access, ContentStore& store) : access_(access), store_(store) {}

  // The digest that the tag points to now, nothing if it is absent, Kind::not_found if its repository is. HEAD, GET
  // where HEAD does not do.
  Result<std::optional<Digest>> digest_of_tag(const Reference& reference, const Deadline& deadline);
  // The same by one request that is not repeated, on condition that the tag has moved; by none while the registry wants
  // to be left alone.
  Result<TagLook> look_at_tag(const Reference& reference, const std::optional<TagView>& last, const Deadline& deadline);
  // Nothing also where the repository is unknown: this is for what may be beside an artifact.
  Result<std::optional<ManifestBytes>> by_tag(const Reference& repository, const std::string& tag,
                                              const Deadline& deadline);
  Result<std::optional<ManifestBytes>> by_digest(const Reference& repository, const Digest& digest,
                                                 const Deadline& deadline);
  // The same, and is it in that repository too?
  Result<std::optional<ManifestBytes>> present(const Reference& repository, const Digest& digest,
                                               const Deadline& deadline);
  // That of by_digest() taken apart; absent is Kind::not_found. `size_bytes` is what its descriptor says, if it has
  // one.
  Result<ManifestDocument> document(const Reference& repository, const Digest& digest, const Deadline& deadline,
                                    std::optional<std::uint64_t> size_bytes = std::nullopt);

 private:
  Result<std::optional<Digest>> digest_by_get(const Reference& reference, const Deadline& deadline);
  std::optional<ManifestBytes> kept(const Digest& digest);
  Result<std::optional<ManifestBytes>> get(const Reference& repository, const std::string& identifier,
                                           const std::optional<Digest>& wanted, const Deadline& deadline);

  RegistryAccess& access_;
  ContentStore& store_;
};

}  // namespace windlass
