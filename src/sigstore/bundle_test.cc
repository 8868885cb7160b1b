#include "sigstore/bundle.h"

#include <gtest/gtest.h>

#include "sigstore/bundle_fixture.h"

namespace windlass {
namespace {

const KeylessIdentity kBuilder{.issuer = std::string(kTestIssuer), .subject = std::string(kTestSubject)};

Verdict verify(const TestBundle& bundle, const TrustPolicy& policy) {
  const auto root = test_instance().root();
  return verify_bundle(bundle.text(), kArtifact, policy, &root, kSigned);
}
Verdict verify_keyless(const TestBundle& bundle, bool ignore_tlog = false) {
  return verify(bundle, {.enabled = true, .keyless_identities = {kBuilder}, .ignore_tlog = ignore_tlog});
}
Verdict verify_keyed(const TestBundle& bundle, bool ignore_tlog = false) {
  return verify(bundle, {.enabled = true, .public_keys = {bundle.key}, .ignore_tlog = ignore_tlog});
}

TEST(Bundle, IsTrustedByAnIdentity) {
  const auto verdict = verify_keyless(make_bundle());
  EXPECT_TRUE(verdict.trusted) << verdict.reason();
  EXPECT_EQ(verdict.by, "identity https://token.test https://forge.test/acme/shop/build.yml@refs/heads/main");
  std::string checks;
  for (const auto& step : verdict.steps) checks += step.check + ", ";
  EXPECT_EQ(checks,
            "form, signed digest, transparency log, signature time, certificate chain, certificate timestamp, "
            "identity, signature, transparency log, ");
}

TEST(Bundle, MayNameItsVersionAsAParameter) {  // B1
  auto bundle = make_bundle();
  bundle.at("/mediaType") = "application/vnd.dev.sigstore.bundle+json;version=0.3";
  EXPECT_TRUE(verify_keyless(bundle).trusted);
}

TEST(Bundle, PassesOverEntriesOfLogsThatNobodyTrusts) {  // B6
  auto bundle = make_bundle();
  auto& entries = bundle.at("/verificationMaterial/tlogEntries").as_array();
  json::value unknown(entries.front());
  unknown.at_pointer("/logId/keyId") = base64_encode("nobody");
  entries.insert(entries.begin(), unknown);
  const auto verdict = verify_keyless(bundle);
  EXPECT_TRUE(verdict.trusted) << verdict.reason();
}

// F1, F3, B8: both ends belong to the window, and the present has no say
TEST(Bundle, CountsAuthoritiesAndLogsOnlyWhileTheyAreInUse) {
  const auto bundle = make_bundle();
  const TrustPolicy policy{.enabled = true, .keyless_identities = {kBuilder}};
  for (const std::string_view window :
       {"/certificateAuthorities/0/validFor", "/ctlogs/0/publicKey/validFor", "/tlogs/0/publicKey/validFor"}) {
    SCOPED_TRACE(window);
    const auto is_trusted = [&](WallTime start, WallTime end) {
      auto json = test_instance().trusted_root_json();
      json.at_pointer(window) = {{"start", to_rfc3339(start)}, {"end", to_rfc3339(end)}};
      const auto root = TestInstance::parsed(json);
      return verify_bundle(bundle.text(), kArtifact, policy, &root, kSigned + kYear).trusted;
    };
    EXPECT_TRUE(is_trusted(kSigned, kSigned));
    EXPECT_FALSE(is_trusted(kSigned - kYear, kSigned - std::chrono::seconds(1)));
    EXPECT_FALSE(is_trusted(kSigned + std::chrono::seconds(1), kSigned + kYear));
  }
}

TEST(Bundle, IsTrustedByAKey) {
  const auto bundle = make_bundle({.signed_with_key = true});
  const auto verdict = verify_keyed(bundle);
  EXPECT_TRUE(verdict.trusted) << verdict.reason();
  EXPECT_EQ(verdict.by, "key " + bundle.key.fingerprint());
}

TEST(Bundle, TakesRekorV2WithATimestamp) {  // B9, B10
  const auto verdict = verify_keyless(make_bundle({.log = LogKind::rekor2, .has_timestamp = true}));
  EXPECT_TRUE(verdict.trusted) << verdict.reason();
}

TEST(Bundle, NeedsATimestampWhereTheLogKnowsNoTime) {  // B10
  const auto verdict = verify_keyless(make_bundle({.log = LogKind::rekor2}));
  EXPECT_FALSE(verdict.trusted);
  EXPECT_EQ(verdict.reason(),
            verdict.steps.back().rule +
                ": signature time: want a signed entry timestamp of a log or a timestamp of an authority, found none");
}

TEST(Bundle, AsksNoLogWhenThePolicyIgnoresIt) {  // B6
  auto bundle = make_bundle({.signed_with_key = true});
  bundle.at("/verificationMaterial").as_object().erase("tlogEntries");
  EXPECT_TRUE(verify_keyed(bundle, true).trusted);
  EXPECT_EQ(verify_keyed(bundle).reason(), "transparency log: want an entry of a log of the trusted root, found none");
  const TrustPolicy policy{.enabled = true, .public_keys = {bundle.key}};
  EXPECT_EQ(verify_bundle(bundle.text(), kArtifact, policy, nullptr, kSigned).reason(),
            "transparency log: the log cannot be checked without a trusted root");
}

TEST(Bundle, JudgesACertificateByThePresentWhenNothingProvesATime) {  // F2
  EXPECT_TRUE(verify_keyless(make_bundle(), true).trusted);
  const auto root = test_instance().root();
  const TrustPolicy policy{.enabled = true, .keyless_identities = {kBuilder}, .ignore_tlog = true};
  const auto later = kSigned + std::chrono::hours(1);
  EXPECT_FALSE(verify_bundle(make_bundle().text(), kArtifact, policy, &root, later).trusted);
  EXPECT_TRUE(verify_bundle(make_bundle({.has_timestamp = true}).text(), kArtifact, policy, &root, later).trusted);
}

TEST(Bundle, NeedsATrustedRootForACertificate) {
  const TrustPolicy policy{.enabled = true, .keyless_identities = {kBuilder}, .ignore_tlog = true};
  const auto verdict = verify_bundle(make_bundle().text(), kArtifact, policy, nullptr, kSigned);
  EXPECT_TRUE(verdict.reason().ends_with("certificate: a certificate cannot be judged without a trusted root"))
      << verdict.reason();
}

TEST(Bundle, KeepsKeysAndCertificatesApart) {  // B2
  EXPECT_TRUE(verify_keyed(make_bundle())
                  .reason()
                  .ends_with("certificate: want a signature made with a key, found one made with a certificate"));
  EXPECT_TRUE(verify_keyless(make_bundle({.signed_with_key = true}))
                  .reason()
                  .ends_with("certificate: want a signature made with a certificate, found one made with a key"));
}

// One thing of a good bundle is turned; `reason` is part of what the verdict says.
struct Turned {
  std::string_view id;
  void (*turn)(TestBundle&);
  std::string_view reason;
};

std::string flipped(const json::value& base64) {
  auto bytes = *base64_decode(std::string_view(base64.as_string()));
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  return base64_encode(bytes);
}

constexpr std::string_view kEntry = "/verificationMaterial/tlogEntries/0";

const Turned kTurned[] = {
    {"B1 version", [](TestBundle& b) { b.at("/mediaType") = "application/vnd.dev.sigstore.bundle+json;version=0.2"; },
     "form: mediaType: want application/vnd.dev.sigstore.bundle.v0.3+json, found "
     "'application/vnd.dev.sigstore.bundle+json;version=0.2'"},
    {"B1 newer", [](TestBundle& b) { b.at("/mediaType") = "application/vnd.dev.sigstore.bundle.v0.4+json"; },
     "form: mediaType: want application/vnd.dev.sigstore.bundle.v0.3+json, found "
     "'application/vnd.dev.sigstore.bundle.v0.4+json'"},
    {"B1 unknown field", [](TestBundle& b) { b.value.as_object()["trustMe"] = true; }, "form: trustMe: is not known"},
    {"B2 chain",
     [](TestBundle& b) {
       b.at("/verificationMaterial").as_object()["x509CertificateChain"] = {{"certificates", json::array()}};
     },
     "form: verificationMaterial.x509CertificateChain: want a single certificate in its place"},
    {"B2 both", [](TestBundle& b) { b.at("/verificationMaterial").as_object()["publicKey"] = json::object(); },
     "form: verificationMaterial.certificate: want exactly one of certificate and publicKey"},
    {"B2 none", [](TestBundle& b) { b.at("/verificationMaterial").as_object().erase("certificate"); },
     "form: verificationMaterial.certificate: want exactly one of certificate and publicKey"},
    {"B2 no certificate",
     [](TestBundle& b) { b.at("/verificationMaterial/certificate/rawBytes") = base64_encode("junk"); },
     "form: verificationMaterial.certificate.rawBytes: not a certificate: too long"},
    {"B3 two signatures",
     [](TestBundle& b) {
       auto& all = b.at("/dsseEnvelope/signatures").as_array();
       all.push_back(json::value(all.front()));
     },
     "form: dsseEnvelope.signatures: want at most 1 items, got 2"},
    {"B3 no signature", [](TestBundle& b) { b.at("/dsseEnvelope/signatures").as_array().clear(); },
     "form: dsseEnvelope.signatures: want exactly one"},
    {"B3 payload type", [](TestBundle& b) { b.at("/dsseEnvelope/payloadType") = "text/plain"; },
     "signed digest: want an envelope of type application/vnd.in-toto+json, found 'text/plain'"},
    {"B3 message",
     [](TestBundle& b) {
       b.value.as_object().erase("dsseEnvelope");
       b.value.as_object()["messageSignature"] = {{"signature", "AAAA"}};
     },
     "signed digest: want an envelope with a statement, found a message signature"},
    {"B3 both",
     [](TestBundle& b) {
       b.value.as_object()["messageSignature"] = {{"signature", "AAAA"}};
     },
     "form: dsseEnvelope: want exactly one of dsseEnvelope and messageSignature"},
    {"B4 signature",
     [](TestBundle& b) {
       auto& signature = b.at("/dsseEnvelope/signatures/0/sig");
       signature = base64_encode(TestKey::ec("P-256").sign("something else"));
     },
     "found another one"},
    {"B4 payload",
     [](TestBundle& b) {
       b.at("/dsseEnvelope/payload") = base64_encode(statement_about(kArtifact, std::string(kCosignPredicate)) + " ");
     },
     "found another one"},
    {"B5 other artifact", [](TestBundle& b) { b = make_bundle({.digest = kOtherArtifact}); },
     "found one about something else"},
    {"B5 predicate", [](TestBundle& b) { b = make_bundle({.predicate = "https://slsa.dev/provenance/v1"}); },
     "signed digest: want the predicate https://sigstore.dev/cosign/sign/v1, found 'https://slsa.dev/provenance/v1'"},
    {"B6 no entry", [](TestBundle& b) { b.at("/verificationMaterial/tlogEntries").as_array().clear(); },
     "transparency log: want an entry of a log of the trusted root, found none"},
    {"B6 unknown log", [](TestBundle& b) { b.at(std::string(kEntry) + "/logId/keyId") = base64_encode("nobody"); },
     "transparency log: want an entry of a log of the trusted root, found none"},
    {"B6 twice",
     [](TestBundle& b) {
       auto& all = b.at("/verificationMaterial/tlogEntries").as_array();
       all.push_back(json::value(all.front()));
     },
     "form: verificationMaterial.tlogEntries: log entry 77 is there twice"},
    {"B6 too many",
     [](TestBundle& b) {
       auto& all = b.at("/verificationMaterial/tlogEntries").as_array();
       while (all.size() < 33) all.push_back(json::value(all.front()));
     },
     "form: verificationMaterial.tlogEntries: want at most 32 items, got 33"},
    {"B7 no proof", [](TestBundle& b) { b.at(kEntry).as_object().erase("inclusionProof"); },
     "transparency log: log entry 77: want an inclusion proof, found none"},
    {"B7 path",
     [](TestBundle& b) {
       b.at(std::string(kEntry) + "/inclusionProof/hashes/0") = base64_encode(std::string(32, 'x'));
     },
     "log entry 77: want a proof that leads to root "},
    {"B7 size", [](TestBundle& b) { b.at(std::string(kEntry) + "/inclusionProof/treeSize") = "4"; },
     "log entry 77: want size and root of the checkpoint (3, "},
    {"B7 checkpoint",
     [](TestBundle& b) {
       auto& note = b.at(std::string(kEntry) + "/inclusionProof/checkpoint/envelope").as_string();
       note.insert(0, "x");
     },
     "found none"},
    {"B8 promise",
     [](TestBundle& b) {
       auto& promise = b.at(std::string(kEntry) + "/inclusionPromise/signedEntryTimestamp");
       promise = flipped(promise);
     },
     "found another signature"},
    {"B8 time", [](TestBundle& b) { b.at(std::string(kEntry) + "/integratedTime") = "1767323046"; },
     "found another signature"},
    {"B9 kind", [](TestBundle& b) { b.at(std::string(kEntry) + "/kindVersion/kind") = "hashedrekord"; },
     "log entry 77: kind: want hashedrekord"},
    {"B9 another entry", [](TestBundle& b) { b.at(kEntry) = make_bundle().at(kEntry); },
     "log entry 77: want the signature that is judged here, found another one"},
    {"B10 too many",
     [](TestBundle& b) {
       const json::array many(33, json::value{{"signedTimestamp", "AAAA"}});
       b.at("/verificationMaterial").as_object()["timestampVerificationData"] = {{"rfc3161Timestamps", many}};
     },
     "form: verificationMaterial.timestampVerificationData.rfc3161Timestamps: want at most 32 items, got 33"},
    {"B10 outside the certificate", [](TestBundle& b) { b = make_bundle({.logged = kSigned + std::chrono::hours(1)}); },
     "certificate chain: want a certificate valid at the time of the signature, 2026-01-02T04:04:05Z; it is valid "
     "2026-01-02T03:03:05Z to 2026-01-02T03:13:05Z"},
    {"B10 outside the log", [](TestBundle& b) { b = make_bundle({.logged = kSigned + 2 * kYear}); },
     "found 2028-01-02T03:04:05Z"},
};

TEST(Bundle, SaysWhichStepFailed) {
  for (const auto& [id, turn, reason] : kTurned) {
    SCOPED_TRACE(id);
    auto bundle = make_bundle();
    turn(bundle);
    const auto verdict = verify_keyless(bundle);
    EXPECT_FALSE(verdict.trusted);
    EXPECT_NE(verdict.reason().find(reason), std::string::npos) << verdict.reason();
  }
}

struct Leaf {
  std::string_view id;
  LeafOrder order;
  std::string_view reason;
};

TEST(Bundle, SaysWhatIsWrongWithACertificate) {  // F1 to F4
  static const auto stranger = TestKey::ec("P-256");
  const Leaf leaves[] = {
      {"F1 issuer",
       {.issuer_key = &stranger},
       "certificate chain: want a certificate of an authority of the trusted root, found none that issued it: CN=root: "
       "certificate signature failure"},
      {"F1 usage",
       {.extended_key_usage = "serverAuth"},
       "certificate chain: want a certificate for code signing (extended key usage), found one for something else"},
      {"F1 no usage",
       {.extended_key_usage = ""},
       "certificate chain: want a certificate for code signing (extended key usage), found one for something else"},
      {"F1 key usage",
       {.key_usage = "critical,keyAgreement"},
       "certificate chain: want a certificate for digital signatures (key usage), found one for something else"},
      {"F1 authority",
       {.basic_constraints = "critical,CA:TRUE"},
       "certificate chain: want a certificate of a signer, found one of an authority"},
      {"F2 not yet",
       {.from = kSigned + std::chrono::minutes(1)},
       "it is valid 2026-01-02T03:05:05Z to 2026-01-02T03:13:05Z"},
      {"F2 over",
       {.until = kSigned - std::chrono::seconds(1)},
       "it is valid 2026-01-02T03:03:05Z to 2026-01-02T03:04:04Z"},
      {"F3 none",
       {.has_timestamp = false},
       "certificate timestamp: want a timestamp of a certificate transparency log in the certificate, found none"},
      {"F3 key", {.timestamp_key = &stranger}, "the signature is not one of certificate log ct.test (key SHA256:"},
      {"F3 log",
       {.timestamp_log = std::string(32, 'l')},
       "the trusted root has no certificate log 6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c"},
      {"F3 time", {.timestamp_time = kSigned + 2 * kYear}, "the timestamp is of 2028-01-02T03:04:05Z"},
      {"F3 another certificate",
       {.timestamp_of_another = true},
       "the signature is not one of certificate log ct.test (key SHA256:"},
      {"F4 issuer",
       {.issuer = "https://evil.test"},
       "identity: want issuer 'https://token.test', found 'https://evil.test'"},
      {"F4 subject",
       {.subject = "URI:https://forge.test/evil"},
       "identity: want subject 'https://forge.test/acme/shop/build.yml@refs/heads/main', found "
       "'https://forge.test/evil'"},
  };
  for (const auto& [id, order, reason] : leaves) {
    SCOPED_TRACE(id);
    const auto verdict = verify_keyless(make_bundle({.leaf = order}));
    EXPECT_FALSE(verdict.trusted);
    EXPECT_NE(verdict.reason().find(reason), std::string::npos) << verdict.reason();
  }
}

// F1: every certificate of the chain, when the signature was made and not now
TEST(Bundle, NeedsAnAuthorityThatWasValidWhenItWasSigned) {
  const auto& instance = test_instance();
  const auto bundle = make_bundle();
  const TrustPolicy policy{.enabled = true, .keyless_identities = {kBuilder}};
  const auto reason = [&](WallTime from, WallTime until) {
    auto json = instance.trusted_root_json();
    json.at_pointer("/certificateAuthorities/0/certChain/certificates/0/rawBytes") =
        base64_encode(authority_der("intermediate", instance.intermediate_key, "root", instance.root_key, from, until));
    const auto root = TestInstance::parsed(json);
    return verify_bundle(bundle.text(), kArtifact, policy, &root, kSigned + kYear / 2).reason();
  };
  const auto minute = std::chrono::minutes(1);
  EXPECT_EQ(reason(kSigned - minute, kSigned + minute), "");
  const auto over = reason(kSigned - kYear, kSigned - minute), not_yet = reason(kSigned + minute, kSigned + kYear);
  const std::string nobody = "certificate chain: want a certificate of an authority of the trusted root, found none ";
  EXPECT_TRUE(over.ends_with(nobody + "that issued it: CN=root: certificate has expired")) << over;
  EXPECT_TRUE(not_yet.ends_with(nobody + "that issued it: CN=root: certificate is not yet valid")) << not_yet;
}

TEST(Bundle, AsksForCertificateTimestampsEvenWhenTheLogIsIgnored) {  // F3
  const auto verdict = verify_keyless(make_bundle({.leaf = {.has_timestamp = false}}), true);
  EXPECT_TRUE(verdict.reason().ends_with("in the certificate, found none")) << verdict.reason();
}

TEST(Bundle, TakesExtensionsOfCertificateTimestamps) {
  EXPECT_TRUE(verify_keyless(make_bundle({.leaf = {.timestamp_extensions = "leaf index"}})).trusted);
}

TEST(Bundle, HasNoKeyTwice) {  // reliability/P10: readers differ in which of two counts
  const auto root = test_instance().root();
  const TrustPolicy policy{.enabled = true, .keyless_identities = {kBuilder}};
  auto text = make_bundle().text();
  text.insert(text.find("\"payload\""), R"("payload":"",)");
  EXPECT_EQ(verify_bundle(text, kArtifact, policy, &root, kSigned).reason(),
            "form: key 'payload' stands twice in one object");
}

TEST(Bundle, KeepsQuietAboutNothing) {  // whatever the bytes are, there is a reason
  const auto root = test_instance().root();
  const TrustPolicy policy{.enabled = true, .keyless_identities = {kBuilder}};
  for (const std::string_view text : {"", "{", "[]", "null", "\"x\"", "{}", R"({"mediaType":1})"}) {
    SCOPED_TRACE(text);
    const auto verdict = verify_bundle(text, kArtifact, policy, &root, kSigned);
    EXPECT_FALSE(verdict.trusted);
    EXPECT_TRUE(verdict.reason().starts_with("form: ")) << verdict.reason();
  }
  EXPECT_EQ(verify_bundle(std::string(2 << 20, ' '), kArtifact, policy, &root, kSigned).reason(),
            "form: want at most 1048576 bytes, got 2097152");
}

}  // namespace
}  // namespace windlass
