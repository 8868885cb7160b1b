#include "sigstore/evidence.h"

#include <fmt/format.h>

#include "base/text.h"
#include "sigstore/certificate_chain.h"
#include "sigstore/certificate_timestamp.h"
#include "sigstore/entry_body.h"
#include "sigstore/identity.h"
#include "sigstore/inclusion_proof.h"
#include "sigstore/log_promise.h"

namespace windlass {
namespace {

Result<std::string> check_signature(const SignedContent& content, const PublicKey& key) {
  if (content.verifies_with(key)) return fmt::format("made by the {} key {}", key.algorithm(), key.fingerprint());
  return fail(Kind::denied,
              fmt::format("want one made by the {} key {}, found another one", key.algorithm(), key.fingerprint()));
}

// K6, B9
Result<std::string> check_entries(const Evidence& evidence, std::string_view verifier) {
  std::vector<std::string> names;
  for (const auto& entry : evidence.entries) {
    if (const auto status = check_entry_body(entry, evidence.content, verifier); !status)
      return tl::unexpected(status.error());
    names.push_back(name_of(entry));
  }
  return join(names, ", ") + " is about this signature";
}

// K8, B2
Result<std::string> check_certificate_beside_key(const Evidence& evidence, const PublicKey& key) {
  if (evidence.certificate_or_key)
    return fail(Kind::denied, "want a signature made with a key, found one made with a certificate");
  const auto certified = evidence.certificate->public_key();
  if (!certified) return tl::unexpected(certified.error());
  if (*certified == key) return "the attached certificate is for this key";
  return fail(Kind::denied,
              fmt::format("want a certificate for this key, found one for key {}", certified->fingerprint()));
}

void try_key(const Evidence& evidence, const PublicKey& key, Verdict& verdict) {
  Steps steps(verdict, name_of(key));
  if (evidence.certificate && !steps.take("certificate", check_certificate_beside_key(evidence, key))) return;
  if (!steps.take("signature", check_signature(evidence.content, key))) return;
  const auto& logged = evidence.certificate ? evidence.certificate->der() : key.der();  // signers log what they attach
  if (!evidence.entries.empty() && !steps.take("transparency log", check_entries(evidence, logged))) return;
  steps.trust();
}

// F2: every time that was proven counts; without a log and a timestamp there is only the present.
Result<std::vector<WallTime>> signature_times(const Evidence& evidence, bool ignore_tlog, WallTime now) {
  if (!evidence.times.empty()) return evidence.times;
  if (ignore_tlog) return std::vector{now};
  return fail(Kind::denied, "want a signed entry timestamp of a log or a timestamp of an authority, found none");
}

// F1. The issuer, for the last step.
Result<Certificate> check_chain(const Certificate& leaf, const TrustedRoot& root, const std::vector<WallTime>& times) {
  Result<Certificate> issuer = fail(Kind::internal, "no time");
  for (const auto time : times) {
    issuer = verify_code_signing_chain(leaf, root, time);
    if (!issuer) break;
  }
  return issuer;
}

bool prove_certificate(const Certificate& leaf, const TrustedRoot& root, const std::vector<WallTime>& times,
                       Steps& steps) {
  const auto issuer = check_chain(leaf, root, times);
  if (!steps.take("certificate chain", issuer, issuer ? fmt::format("issued by {}", issuer->name()) : "")) return false;
  return steps.take("certificate timestamp", verify_certificate_timestamps(leaf, *issuer, root));
}

bool check_certificate_signature(const Evidence& evidence, Steps& steps) {
  const auto key = evidence.certificate->public_key();
  return steps.take("signature", key ? check_signature(evidence.content, *key) : tl::unexpected(key.error()));
}

void try_identity(const Evidence& evidence, const KeylessIdentity& identity, const TrustedRoot* root, bool ignore_tlog,
                  WallTime now, Verdict& verdict) {
  Steps steps(verdict, name_of(identity));
  if (!evidence.certificate) {
    steps.take("certificate",
               fail(Kind::denied, "want a signature made with a certificate, found one made with a key"));
    return;
  }
  if (root == nullptr) {
    steps.take("certificate", fail(Kind::denied, "a certificate cannot be judged without a trusted root"));
    return;
  }
  const auto times = signature_times(evidence, ignore_tlog, now);
  if (!steps.take("signature time", times, times ? to_rfc3339(times->front()) : "")) return;
  const auto& leaf = *evidence.certificate;
  if (!prove_certificate(leaf, *root, *times, steps)) return;
  if (!steps.take("identity", match_identity(identity, leaf))) return;
  if (!check_certificate_signature(evidence, steps)) return;
  if (!evidence.entries.empty() && !steps.take("transparency log", check_entries(evidence, leaf.der()))) return;
  steps.trust();
}

}  // namespace

Result<std::vector<LogEntry>> verify_log_entries(const std::vector<LogEntry>& entries, const TrustedRoot& root,
                                                 WallTime now, std::vector<WallTime>& times) {
  std::vector<LogEntry> proven;
  const auto without_promise = times.empty() ? std::vector{now} : times;
  for (const auto& entry : entries) {
    const auto* log = root.transparency_log(entry.log_id);
    if (log == nullptr) continue;
    if (const auto status = verify_inclusion(entry, *log); !status) return tl::unexpected(status.error());
    if (entry.promise.empty()) {
      for (const auto time : without_promise)
        if (const auto status = check_in_use(entry, *log, time); !status) return tl::unexpected(status.error());
    } else {
      const auto time = verify_promise(entry, *log);
      if (!time) return tl::unexpected(time.error());
      times.push_back(*time);
    }
    proven.push_back(entry);
  }
  if (proven.empty()) return fail(Kind::denied, "want an entry of a log of the trusted root, found none");
  return proven;
}

void judge(const Evidence& evidence, const TrustPolicy& policy, const TrustedRoot* root, WallTime now,
           Verdict& verdict) {
  for (const auto& key : policy.public_keys) {
    try_key(evidence, key, verdict);
    if (verdict.trusted) return;
  }
  for (const auto& identity : policy.keyless_identities) {
    try_identity(evidence, identity, root, policy.ignore_tlog, now, verdict);
    if (verdict.trusted) return;
  }
}

}  // namespace windlass
