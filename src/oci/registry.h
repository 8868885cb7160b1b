// Asking a registry for manifests and blobs (OCI distribution-spec 1.1; oci 3).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/log.h"
#include "base/result.h"
#include "model/digest.h"
#include "model/registry_rule.h"
#include "oci/artifact.h"
#include "oci/manifest.h"
#include "oci/reference.h"
#include "sys/http_client.h"

namespace windlass {

class ContentStore;
class CredentialSource;

struct RegistryOptions {
  std::vector<std::string> insecure_registries;  // "host[:port]"
  std::vector<RegistryRule> rules;
  std::string user_agent = "windlass";
  std::uint64_t layers_bytes_max = 1ull << 30;  // of one artifact, compressed (oci 8)
  int attempts_max = 5;                         // oci 3.4
  std::chrono::milliseconds backoff_base{500};
  std::chrono::milliseconds backoff_max{30'000};
};

// One manifest as the registry gave it; the digest is of these bytes.
struct ManifestBytes {
  Digest digest;
  std::string media_type;
  std::string bytes;
};

// What a tag pointed to, and the ETag that proves later that it still does ("" where the registry gave none).
struct TagView {
  Digest digest;
  std::string etag;
};

// What came of asking for it.
struct TagLook {
  std::optional<TagView> view;                     // nothing: the tag is absent, or the registry did not say
  std::optional<std::chrono::seconds> come_again;  // it wants to be left alone for so long (Retry-After)
  std::string reason;                              // of that
};

// Why a registry is not asked for the `left` seconds that it wants to be left alone: the text of errors and looks.
std::string left_alone_reason(const Reference& repository, std::chrono::seconds left);

using SeeReferrer = std::function<void(const Descriptor& referrer)>;

class Registry {
 public:
  static std::unique_ptr<Registry> make(const RegistryOptions& options, HttpTransport& transport,
                                        CredentialSource& credentials, ContentStore& store, const Clock& clock,
                                        Log log);
  virtual ~Registry() = default;

  // These rules count for requests from now on; one that is under way ends as it began. From any thread.
  virtual void use(std::vector<RegistryRule> rules) = 0;

  // How long its registry wants to be left alone: whichever request it refused, it said so for longer than a job can
  // wait (Retry-After, oci 3.4). Until then look_at_tag() gives `come_again` without a request; all else is asked, so
  // whoever does something by himself asks here first. Nothing: it may be asked.
  virtual std::optional<std::chrono::seconds> left_alone_for(const Reference& repository) = 0;

  // The digest that a tag points to now, or nothing if the tag is absent (404). Kind::not_found if the registry says
  // that it knows no such repository (NAME_UNKNOWN), the same below. HEAD, GET where HEAD does not do.
  virtual Result<std::optional<Digest>> tag_digest(const Reference& reference, const Deadline& deadline) = 0;

  // The same for somebody who asks again and again (oci 13): one HEAD, conditional on what was seen `last`, and not
  // repeated when it does not come through. Gives `last` itself when the tag has not moved.
  virtual Result<TagLook> look_at_tag(const Reference& reference, const std::optional<TagView>& last,
                                      const Deadline& deadline) = 0;

  // The manifest or index with that digest; nothing if the repository has none (404). Its bytes hash to the digest.
  // What the content store has is not asked for, whichever repository it came from.
  virtual Result<std::optional<ManifestBytes>> manifest(const Reference& repository, const Digest& digest,
                                                        const Deadline& deadline) = 0;

  // The same, asked of that very repository also where the bytes are known: what may be deployed by its digest must be
  // there, and not only somewhere.
  virtual Result<std::optional<ManifestBytes>> present_manifest(const Reference& repository, const Digest& digest,
                                                                const Deadline& deadline) = 0;

  // The manifest or index that a tag points to now, which need not be the reference's own: "sha256-<hex>.sig" is where
  // cosign keeps signatures. Nothing if tag or repository is absent (404). Up to kSignatureLayersMax layers.
  virtual Result<std::optional<ManifestBytes>> manifest_at_tag(const Reference& repository, const std::string& tag,
                                                               const Deadline& deadline) = 0;

  // Tells what refers to the manifest `digest` in that repository, one by one, in the registry's order (oci 12). More
  // than 100 pages are Kind::invalid, an unreachable registry is Kind::unavailable: no answer is never taken for
  // "none". What was listed until then has been told.
  virtual Status referrers(const Reference& repository, const Digest& digest, const SeeReferrer& see,
                           const Deadline& deadline) = 0;

  // The bytes of a small blob, size and digest checked; Kind::invalid if its descriptor says more than `bytes_max`.
  virtual Result<std::string> blob(const Reference& repository, const Descriptor& blob, std::uint64_t bytes_max,
                                   const Deadline& deadline) = 0;

  // True if `child` is named by the index `parent` (webhook/P6).
  virtual Result<bool> is_child_of(const Reference& repository, const Digest& child, const Digest& parent,
                                   const Deadline& deadline) = 0;

  // Fetches manifest and layers of repository@digest into the content store; platform choice by oci 3.2. Blobs that the
  // store has are not asked for again.
  virtual Result<FetchedArtifact> fetch(const Reference& repository, const Digest& digest,
                                        const Deadline& deadline) = 0;
};

}  // namespace windlass
