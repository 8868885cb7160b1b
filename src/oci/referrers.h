// What refers to an artifact: its signatures and attestations (OCI distribution-spec 1.1, "Referrers"; oci 12).
#pragma once

#include <string>
#include <vector>

#include "oci/manifest.h"
#include "oci/manifest_client.h"
#include "oci/registry_access.h"

namespace windlass {

// Limits of one listing; what is over them is Kind::invalid, never cut in silence (reliability/F48).
constexpr int kReferrerPagesMax = 100;
constexpr std::size_t kReferrersMax = 1000;  // of the type asked for

// Descriptors of the manifests that have `digest` as subject; only those of `artifact_type` unless it is "". From the
// referrers API, page by page; where the registry does not have it, from the index at the tag "sha256-<hex>".
Result<std::vector<Descriptor>> list_referrers(RegistryAccess& access, ManifestClient& manifests,
                                               const Reference& repository, const Digest& digest,
                                               const std::string& artifact_type, const Deadline& deadline);

}  // namespace windlass
