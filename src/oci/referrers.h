// What refers to an artifact: its signatures and attestations (OCI distribution-spec 1.1, "Referrers"; oci 12).
#pragma once

#include "oci/manifest_client.h"
#include "oci/registry.h"
#include "oci/registry_access.h"

namespace windlass {

// Of one listing: what is over it is Kind::invalid, never cut in silence (reliability/F48). How many referrers are on
// the pages does not matter, none of them is kept here.
constexpr int kReferrerPagesMax = 100;

// Tells the manifests that have `digest` as subject. From the referrers API, page by page; where the registry does not
// have it, from the index at the tag "sha256-<hex>".
Status list_referrers(RegistryAccess& access, ManifestClient& manifests, const Reference& repository,
                      const Digest& digest, const SeeReferrer& see, const Deadline& deadline);

}  // namespace windlass
