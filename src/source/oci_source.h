// Releases from an OCI registry.
#pragma once

#include <chrono>
#include <functional>

#include "base/log.h"
#include "oci/artifact_trust.h"
#include "oci/registry.h"
#include "source/source.h"
#include "source/trust_rules.h"

namespace windlass {

class OciSource final : public Source {
 public:
  struct Options {
    UnpackLimits limits;
    Secret content_key;                                                 // of this installation: for the hashes of files
    std::chrono::milliseconds pull_timeout = std::chrono::minutes(10);  // of one artifact (reliability 2)
    // Pauses before asking a registry again that does not show a digest yet (webhook/P2, P3).
    std::vector<std::chrono::milliseconds> pauses = {std::chrono::seconds(1), std::chrono::seconds(2),
                                                     std::chrono::seconds(4), std::chrono::seconds(8)};
    // Pauses before looking for signatures again of what a registry has announced: its signer may come after it
    // (registry-events 3.6).
    std::vector<std::chrono::milliseconds> signature_pauses = {std::chrono::seconds(2), std::chrono::seconds(5),
                                                               std::chrono::seconds(10), std::chrono::seconds(20),
                                                               std::chrono::seconds(23)};
    TrustRules trust;
  };

  OciSource(Options options, Registry& registry, ArtifactTrust& trust, Log log);

  Result<Look> look(const JobRequest& request, const std::optional<Sighting>& last, const Deadline& deadline) override;
  Result<Settled> settle(const Job& job, const LaneHistory& history, const Deadline& deadline) override;
  Status verify(const Job& job, const Digest& digest, const Deadline& deadline) override;
  Status verify_deployment(const Job& job, const Digest& digest, const TrustOverride& wanted,
                           const Deadline& deadline) override;
  std::string trust_stamp(const JobRequest& request) override;
  Result<UnpackedTree> fetch(const Job& job, const Digest& digest, const std::filesystem::path& staging,
                             const Deadline& deadline) override;
  Result<UnpackedTree> unpack_archive(std::string_view archive, const std::filesystem::path& staging,
                                      const Deadline& deadline) override;
  Result<std::string> live_path(const Job& job) const override;

 private:
  struct Question;
  Result<Look> look_at_digest(const JobRequest& request, const Reference& reference,
                              const std::optional<Sighting>& last, const Deadline& deadline);
  Result<Settled> settle_by_digest(const Question& question);
  Result<Settled> settle_by_tag(const Question& question);
  Result<Settled> settle_announced(const Question& question, const Digest& announced);
  Result<std::optional<Digest>> sha256_of(const Question& question, const Digest& announced);
  Status check_trust(const Job& job, const Reference& reference, const Digest& digest, const TrustPolicy& policy,
                     const Deadline& deadline);
  Result<std::optional<Digest>> wait_for(const Question& question, const Digest& announced);

  Options options_;
  Registry& registry_;
  ArtifactTrust& trust_;
  Log log_;
};

}  // namespace windlass
