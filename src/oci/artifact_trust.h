// Whether an artifact may be used: its signatures, looked up in its repository, judged by a policy (oci 11, 12).
//
// One signature that satisfies one rule is enough; whatever else lies beside it, broken or hostile, changes nothing.
// Doubt means no (reliability/P10): an artifact is trusted only when a signature says so.
//
// Not here: which policy counts for whom (config/, source/), and what a signature proves (sigstore/).
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <semaphore>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/log.h"
#include "oci/registry.h"
#include "oci/signature_candidates.h"
#include "oci/trusted_root_file.h"
#include "sigstore/trust_policy.h"
#include "sigstore/verdict.h"

namespace windlass {

struct ExaminedSignature {
  SignatureCandidate candidate;
  Verdict verdict;
  std::optional<Error> unread;  // its bytes could not be had: no verdict
};

// All that was found out about one artifact.
struct TrustReport {
  std::vector<ExaminedSignature> signatures;  // as they were looked at; not those after the one that was good enough
  std::vector<Error> unread;                  // of places where signatures may lie
  std::size_t left_out = 0;                   // candidates over the limits of SignatureCandidates

  // The first signature that is good enough; null when the artifact is not trusted.
  const ExaminedSignature* trusted_by() const;
  // Why it is not trusted: "OCI artifact signature verification failed: " and one reason per rule of the policy.
  // Kind::denied, or Kind::unavailable when something that could not be read may have been good enough.
  Error failure(const TrustPolicy& policy) const;
};

class ArtifactTrust {
 public:
  static constexpr unsigned kWorkersMax = 10;
  static constexpr auto kPassLife = std::chrono::hours(24);  // failures are never remembered (oci 11.3)
  static constexpr std::size_t kPassesMax = 10'000;          // remembered at once, 200 bytes each

  struct Options {
    unsigned workers = 1;                     // signatures checked at once, in the whole process (oci 11.7)
    std::filesystem::path trusted_root_file;  // empty: none
  };

  ArtifactTrust(Options options, Registry& registry, const Clock& clock, Log log);

  // Good: the policy is not enabled, or `digest` in that repository satisfies it. Else the failure of the report, or
  // Kind::invalid for a policy without rules or without the trusted root that it needs.
  Status check(const Reference& repository, const Digest& digest, const TrustPolicy& policy, const Deadline& deadline);

  // The whole story, whether the policy is enabled or not; nothing is remembered.
  Result<TrustReport> examine(const Reference& repository, const Digest& digest, const TrustPolicy& policy,
                              const Deadline& deadline);

  // Changes whenever check() may come to another end for the same artifact: hash of policy and root. "" when the policy
  // is not enabled.
  std::string stamp(const TrustPolicy& policy);

 private:
  struct Ground;
  Result<Ground> ground_of(const TrustPolicy& policy);
  TrustReport look(const Reference& repository, const Digest& digest, const TrustPolicy& policy, const Ground& ground,
                   const Deadline& deadline);
  ExaminedSignature judge(const Reference& repository, const Digest& digest, const TrustPolicy& policy,
                          const Ground& ground, SignatureCandidate candidate, const Deadline& deadline);
  bool has_passed(const std::string& key);
  void remember(const std::string& key);

  const Options options_;
  Registry& registry_;
  const Clock& clock_;
  const Log log_;
  TrustedRootFile root_file_;
  std::counting_semaphore<kWorkersMax> checks_;
  std::mutex mutex_;  // guards passes_
  std::map<std::string, SteadyTime> passes_;
};

}  // namespace windlass
