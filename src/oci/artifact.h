// The artifact as plain data, between the registry that gives it and the unpacker that takes it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "model/digest.h"

namespace windlass {

// One layer whose blob is in the content store: whole, and hashed.
struct StoredLayer {
  Digest digest;
  std::string media_type;
  std::uint64_t size_bytes = 0;
  std::map<std::string, std::string> annotations;
  std::filesystem::path file;
};

// A manifest whose layers are all in the content store.
struct FetchedArtifact {
  Digest digest;           // D: of what the tag points to, the index digest for an index
  Digest manifest_digest;  // of the manifest whose layers these are; equals digest without an index
  std::string artifact_type;
  std::vector<StoredLayer> layers;  // lowest first
};

}  // namespace windlass
