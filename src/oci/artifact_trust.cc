#include "oci/artifact_trust.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "base/parallel.h"
#include "base/text.h"
#include "sigstore/bundle.h"
#include "sigstore/bundle_format.h"
#include "sigstore/simple_signing.h"

namespace windlass {
namespace {

class Permit {
 public:
  explicit Permit(std::counting_semaphore<ArtifactTrust::kWorkersMax>& semaphore) : semaphore_(semaphore) {
    semaphore_.acquire();
  }
  Permit(const Permit&) = delete;
  Permit& operator=(const Permit&) = delete;
  ~Permit() { semaphore_.release(); }

 private:
  std::counting_semaphore<ArtifactTrust::kWorkersMax>& semaphore_;
};

constexpr std::string_view kFailure = "OCI artifact signature verification failed";

// How far a signature came with one rule, and what stopped it there.
struct Progress {
  std::size_t passed = 0;
  std::string reason = "no signature was found";
};

// Not only the step that ended it: a time that was missing in the end may be one that was refused before.
Progress progress_of(const Verdict& verdict, const std::string& rule) {
  Progress progress;
  std::vector<std::string> failed;
  for (const auto& step : verdict.steps) {
    if (step.rule != rule && !step.rule.empty()) continue;
    if (step.passed)
      ++progress.passed;
    else
      failed.push_back(fmt::format("{}: {}", step.check, step.detail));
  }
  progress.reason = failed.empty() ? "the signature says nothing about this rule" : join(failed, "; ");
  return progress;
}

}  // namespace

const ExaminedSignature* TrustReport::trusted_by() const {
  const auto found = std::find_if(signatures.begin(), signatures.end(),
                                  [](const auto& signature) { return signature.verdict.trusted; });
  return found == signatures.end() ? nullptr : &*found;
}

// The reason of a rule is that of the signature that came furthest: among ten of other people, the one that counts.
Error TrustReport::failure(const TrustPolicy& policy) const {
  std::vector<std::string> reasons;
  for (const auto& rule : rule_names(policy)) {
    Progress best;
    std::size_t judged = 0;
    for (const auto& signature : signatures) {
      if (signature.unread) continue;
      auto progress = progress_of(signature.verdict, rule);
      if (judged++ == 0 || progress.passed > best.passed) best = std::move(progress);
    }
    reasons.push_back(fmt::format("{}: {}", rule, best.reason));
    if (judged > 1) reasons.back() += fmt::format(" (of {} signatures the one that came furthest)", judged);
  }
  Error error{Kind::denied, ""};
  const auto add_unread = [&](const Error& cause) {
    if (cause.kind == Kind::unavailable) error.kind = Kind::unavailable;
    reasons.push_back(cause.message);
  };
  for (const auto& cause : unread) add_unread(cause);
  for (const auto& signature : signatures)
    if (signature.unread) add_unread(*signature.unread);
  if (left_out > 0) reasons.push_back(fmt::format("{} more signatures were not looked at", left_out));
  error.message = fmt::format("{}: {}", kFailure, join(reasons, "; "));
  return error;
}

// What a policy is judged by beside the signatures.
struct ArtifactTrust::Ground {
  std::shared_ptr<const TrustedRoot> root;  // null: the policy needs none
  std::string stamp;
};

ArtifactTrust::ArtifactTrust(Options options, Registry& registry, const Clock& clock, Log log)
    : options_(std::move(options)),
      registry_(registry),
      clock_(clock),
      log_(std::move(log)),
      root_file_(options_.trusted_root_file),
      checks_(std::clamp(options_.workers, 1u, kWorkersMax)) {}

Result<ArtifactTrust::Ground> ArtifactTrust::ground_of(const TrustPolicy& policy) {
  if (!has_rules(policy)) return fail(Kind::invalid, "OCI trust policy has no trust rules");
  Ground ground{.root = nullptr, .stamp = policy_hash(policy)};
  if (!needs_trusted_root(policy)) return ground;
  auto root = root_file_.current();
  if (!root) return fail(Kind::invalid, root.error().message);
  ground.root = std::move(*root);
  ground.stamp += " " + ground.root->fingerprint();
  return ground;
}

Status ArtifactTrust::check(const Reference& repository, const Digest& digest, const TrustPolicy& policy,
                            const Deadline& deadline) {
  if (!policy.enabled) return {};
  auto ground = ground_of(policy);
  if (!ground) return while_doing(kFailure, ground.error());
  const auto key = digest.str() + " " + ground->stamp;
  if (has_passed(key)) return {};
  const auto report = look(repository, digest, policy, *ground, deadline);
  const auto* good = report.trusted_by();
  if (good == nullptr) return tl::unexpected(report.failure(policy));
  log_.info("artifact is trusted",
            {{"digest", digest.str()}, {"by", good->verdict.by}, {"signature", good->candidate.place}});
  remember(key);
  return {};
}

Result<TrustReport> ArtifactTrust::examine(const Reference& repository, const Digest& digest, const TrustPolicy& policy,
                                           const Deadline& deadline) {
  auto ground = ground_of(policy);
  if (!ground) return tl::unexpected(ground.error());
  return look(repository, digest, policy, *ground, deadline);
}

std::string ArtifactTrust::stamp(const TrustPolicy& policy) {
  if (!policy.enabled) return "";
  const auto ground = ground_of(policy);
  return ground ? ground->stamp : policy_hash(policy) + " " + ground.error().message;
}

TrustReport ArtifactTrust::look(const Reference& repository, const Digest& digest, const TrustPolicy& policy,
                                const Ground& ground, const Deadline& deadline) {
  auto candidates = collect_signatures(registry_, repository, digest, deadline);
  TrustReport report{.signatures = {}, .unread = std::move(candidates.unread), .left_out = candidates.left_out};
  std::vector<std::optional<ExaminedSignature>> examined(candidates.list.size());
  std::atomic<bool> is_trusted = false;
  const auto judged = for_each_index(examined.size(), options_.workers, [&](std::size_t i) {
    if (is_trusted) return Status();
    examined[i] = judge(repository, digest, policy, ground, std::move(candidates.list[i]), deadline);
    if (examined[i]->verdict.trusted) is_trusted = true;
    return Status();
  });
  for (std::size_t i = 0; i < examined.size(); ++i) {
    if (examined[i]) report.signatures.push_back(std::move(*examined[i]));
    if (!judged[i]) report.unread.push_back(judged[i].error());
  }
  return report;
}

ExaminedSignature ArtifactTrust::judge(const Reference& repository, const Digest& digest, const TrustPolicy& policy,
                                       const Ground& ground, SignatureCandidate candidate, const Deadline& deadline) {
  ExaminedSignature examined{.candidate = std::move(candidate), .verdict = {}, .unread = {}};
  const auto& blob = examined.candidate.blob;
  const bool is_bundle = examined.candidate.form == SignatureCandidate::Form::bundle;
  auto bytes = registry_.blob(repository, blob, is_bundle ? Bundle::kBytesMax : kSimplePayloadBytesMax, deadline);
  if (!bytes) {
    examined.unread =
        while_doing(fmt::format("reading the signature at {}", examined.candidate.place), bytes.error()).value();
    return examined;
  }
  const Permit permit(checks_);  // held for milliseconds, never while a registry is waited for
  examined.verdict = is_bundle ? verify_bundle(*bytes, digest, policy, ground.root.get(), clock_.now())
                               : verify_simple_signature({*bytes, blob.annotations, blob.media_type}, digest, policy,
                                                         ground.root.get(), clock_.now());
  return examined;
}

bool ArtifactTrust::has_passed(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = passes_.find(key);
  return found != passes_.end() && clock_.steady_now() < found->second;
}

void ArtifactTrust::remember(const std::string& key) {
  const auto now = clock_.steady_now();
  const std::lock_guard lock(mutex_);
  std::erase_if(passes_, [&](const auto& pass) { return pass.second <= now; });
  if (passes_.size() < kPassesMax) passes_[key] = now + kPassLife;
}

}  // namespace windlass
