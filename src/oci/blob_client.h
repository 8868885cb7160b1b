// Blobs of a repository, into the content store: whole, hashed, resumed where they were cut (oci 3.3).
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "oci/artifact.h"
#include "oci/content_store.h"
#include "oci/manifest.h"
#include "oci/registry_access.h"

namespace windlass {

class BlobClient {
 public:
  BlobClient(RegistryAccess& access, ContentStore& store, std::uint64_t layers_bytes_max)
      : access_(access), store_(store), layers_bytes_max_(layers_bytes_max) {}

  // The file of that blob; from the descriptor's own data, the store or the registry.
  Result<std::filesystem::path> fetch(const Reference& repository, const Descriptor& blob, const Deadline& deadline);
  // Several at once; the first that fails ends the others that have not begun.
  Result<std::vector<StoredLayer>> fetch_layers(const Reference& repository, const std::vector<Descriptor>& layers,
                                                const Deadline& deadline);

 private:
  Status download(const Reference& repository, const Descriptor& blob, std::uint64_t offset,
                  const std::function<Status(std::string_view)>& write, const Deadline& deadline);

  RegistryAccess& access_;
  ContentStore& store_;
  std::uint64_t layers_bytes_max_;
};

}  // namespace windlass
