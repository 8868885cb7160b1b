// What of an artifact lies in the content store, without asking any registry.
#pragma once

#include <vector>

#include "model/digest.h"
#include "oci/content_store.h"

namespace windlass {

// The blobs that deploying `digest` takes: manifests, for an index that of this platform, and layers, whether they are
// there or not. Empty when a manifest is missing.
std::vector<Digest> blobs_of(ContentStore& store, const Digest& digest);

// Can it be deployed from the store alone?
bool is_whole(ContentStore& store, const Digest& digest);

}  // namespace windlass
