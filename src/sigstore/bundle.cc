#include "sigstore/bundle.h"

#include <fmt/format.h>

#include "base/text.h"
#include "sigstore/bundle_format.h"
#include "sigstore/evidence.h"
#include "sigstore/openssl.h"
#include "sigstore/timestamp.h"

namespace windlass {
namespace {

std::string sha256(std::string_view bytes) { return openssl::hash_of(bytes, EVP_sha256()); }

SignedContent content_of(const Envelope& envelope) {
  auto message = pre_authentication_encoding(envelope);
  auto hash = sha256(message);
  return {.form = SignedForm::envelope,
          .message = std::move(message),
          .message_sha256 = std::move(hash),
          .envelope_payload_sha256 = sha256(envelope.payload),
          .signature = envelope.signature};
}

Result<SignedContent> content_of(const MessageSignature& signature, const BundleSubject& subject) {
  const auto hash = from_hex(subject.digest.hex()).value_or("");
  if (!signature.sha256.empty() && signature.sha256 != hash)
    return fail(Kind::denied, fmt::format("want a signature of {}, found one of sha256:{}", subject.digest.str(),
                                          to_hex(signature.sha256)));
  return SignedContent{
      .form = SignedForm::envelope, .message = subject.file, .message_sha256 = hash, .signature = signature.signature};
}

// Times of authorities that the root does not know prove nothing, and take nothing away.
std::vector<WallTime> proven_times(const Bundle& bundle, const std::string& signature, const TrustedRoot& root,
                                   Steps& steps) {
  std::vector<WallTime> times;
  for (const auto& timestamp : bundle.timestamps) {
    const auto time = verify_timestamp(timestamp, signature, root);
    if (time) times.push_back(*time);
    steps.take("timestamp", time, time ? to_rfc3339(*time) : "");
  }
  return times;
}

// B6 to B8, B10: the entries and times of the evidence.
bool prove(const Bundle& bundle, const TrustPolicy& policy, const TrustedRoot* root, WallTime now, Evidence& evidence,
           Steps& steps) {
  if (root != nullptr) evidence.times = proven_times(bundle, evidence.content.signature, *root, steps);
  if (policy.ignore_tlog) return true;
  if (root == nullptr)
    return steps.take("transparency log", fail(Kind::invalid, "the log cannot be checked without a trusted root"));
  const auto entries = verify_log_entries(bundle.log_entries, *root, now, evidence.times);
  if (!steps.take("transparency log", entries, entries ? fmt::format("{} proven", name_of(entries->front())) : ""))
    return false;
  evidence.entries = *entries;
  return true;
}

struct Demands {
  BundleVersions versions;
  bool takes_messages;
  std::string_view predicate;
};
constexpr Demands kOfArtifacts{BundleVersions::current, false, kCosignPredicate};
constexpr Demands kOfFiles{BundleVersions::all, true, ""};

Result<SignedContent> check_content(const Bundle& bundle, const BundleSubject& subject, const Demands& demands) {
  if (bundle.envelope) {
    const auto about = check_statement(*bundle.envelope, subject.digest, demands.predicate);
    if (!about) return tl::unexpected(about.error());
    return content_of(*bundle.envelope);
  }
  if (!demands.takes_messages)
    return fail(Kind::denied, "want an envelope with a statement, found a message signature");
  return content_of(*bundle.message, subject);
}

Verdict verify(std::string_view json, const BundleSubject& subject, const TrustPolicy& policy, const TrustedRoot* root,
               WallTime now, const Demands& demands) {
  Verdict verdict;
  Steps common(verdict, "");
  const auto bundle = read_bundle(json, demands.versions);
  if (!common.take("form", bundle, fmt::format("a bundle of {} bytes", json.size()))) return verdict;
  const auto content = check_content(*bundle, subject, demands);
  if (!common.take("signed digest", content, fmt::format("the signature is about {}", subject.digest.str())))
    return verdict;
  Evidence evidence{.content = *content, .certificate = bundle->certificate, .certificate_or_key = true};
  if (prove(*bundle, policy, root, now, evidence, common)) judge(evidence, policy, root, now, verdict);
  return verdict;
}

}  // namespace

Verdict verify_bundle(std::string_view json, const Digest& digest, const TrustPolicy& policy, const TrustedRoot* root,
                      WallTime now) {
  return verify(json, {.digest = digest}, policy, root, now, kOfArtifacts);
}

Verdict verify_file_bundle(std::string_view json, const BundleSubject& subject, const TrustPolicy& policy,
                           const TrustedRoot* root, WallTime now) {
  return verify(json, subject, policy, root, now, kOfFiles);
}

}  // namespace windlass
