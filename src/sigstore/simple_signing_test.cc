#include "sigstore/simple_signing.h"

#include <gtest/gtest.h>

#include "sigstore/bundle_fixture.h"

namespace windlass {
namespace {

const Digest kDigest = Digest::of_sha256_hex(std::string(64, 'a'));
const Digest kOther = Digest::of_sha256_hex(std::string(64, 'b'));

SimpleSignature signed_with(const TestKey& key, const Digest& digest = kDigest) {
  SimpleSignature signature{.payload = simple_signing_payload("registry.example/shop", digest),
                            .media_type = std::string(kSimpleSigningMediaType)};
  signature.annotations[std::string(kSignatureAnnotation)] = base64_encode(key.sign(signature.payload));
  return signature;
}

Verdict verify(const SimpleSignature& signature, const std::vector<PublicKey>& keys) {
  const TrustPolicy policy{.enabled = true, .public_keys = keys, .ignore_tlog = true};
  return verify_simple_signature(signature, kDigest, policy, nullptr, WallTime{});
}

TEST(SimpleSigning, WritesThePayloadAsCosignDoes) {
  EXPECT_EQ(
      simple_signing_payload("localhost:5000/shop", kDigest),
      R"({"critical":{"identity":{"docker-reference":"localhost:5000/shop"},"image":{"docker-manifest-digest":")" +
          kDigest.str() + R"("},"type":"cosign container image signature"},"optional":null})");
}

TEST(SimpleSigning, TrustsAnyKeyOfThePolicy) {  // K1 to K4
  const auto first = TestKey::ec("P-256"), second = TestKey::rsa(2048);
  const auto verdict = verify(signed_with(second), {first.public_key(), second.public_key()});
  EXPECT_TRUE(verdict.trusted) << verdict.reason();
  EXPECT_EQ(verdict.by, "key " + second.public_key().fingerprint());
  EXPECT_EQ(verdict.reason(), "");
}

TEST(SimpleSigning, RefusesAReplayedSignature) {  // K4, reliability/T12: a good signature of another artifact
  const auto key = TestKey::ec("P-256");
  const auto verdict = verify(signed_with(key, kOther), {key.public_key()});
  EXPECT_FALSE(verdict.trusted);
  EXPECT_EQ(verdict.reason(),
            "signed digest: want a signature of " + kDigest.str() + ", found one of '" + kOther.str() + "'");
}

TEST(SimpleSigning, NeedsATrustedRootForTheLog) {
  const auto key = TestKey::ec("P-256");
  const TrustPolicy policy{.enabled = true, .public_keys = {key.public_key()}};
  const auto verdict = verify_simple_signature(signed_with(key), kDigest, policy, nullptr, WallTime{});
  EXPECT_FALSE(verdict.trusted);
  EXPECT_EQ(verdict.reason(), "transparency log: the log cannot be checked without a trusted root");
}

TEST(SimpleSigning, SaysWhichStepFailed) {
  const auto key = TestKey::ec("P-256"), stranger = TestKey::ec("P-256");
  const auto good = signed_with(key);
  struct Case {
    std::string_view name;
    void (*change)(SimpleSignature&);
    std::string reason;
  };
  const std::string named(kSignatureAnnotation);
  const Case kCases[] = {
      {"K1 type", [](SimpleSignature& s) { s.media_type = "text/plain"; },
       "form: want media type application/vnd.dev.cosign.simplesigning.v1+json, found 'text/plain'"},
      {"K1 size", [](SimpleSignature& s) { s.payload.resize(kSimplePayloadBytesMax + 1, ' '); },
       "form: want at most 1048576 bytes of payload, found 1048577"},
      {"K2 none", [](SimpleSignature& s) { s.annotations.clear(); },
       "form: want the annotation dev.cosignproject.cosign/signature, found none"},
      {"K2 not base64", [](SimpleSignature& s) { s.annotations.begin()->second += "="; },
       "form: annotation dev.cosignproject.cosign/signature is not standard base64"},
      {"K4 JSON", [](SimpleSignature& s) { s.payload += "x"; },
       "signed digest: reading the payload: invalid JSON at byte 238: text after the value"},
      {"K4 a key twice", [](SimpleSignature& s) { s.payload.replace(s.payload.find("identity"), 8, "type"); },
       "signed digest: reading the payload: key 'type' stands twice in one object"},
      {"K4 no object", [](SimpleSignature& s) { s.payload = "[]"; },
       "signed digest: the payload has no object 'critical'"},
      {"K4 type", [](SimpleSignature& s) { s.payload = R"({"critical":{"type":"atomic container signature"}})"; },
       "signed digest: want critical.type 'cosign container image signature', found 'atomic container signature'"},
      {"K4 no digest",
       [](SimpleSignature& s) { s.payload = R"({"critical":{"type":"cosign container image signature"}})"; },
       "signed digest: want a signature of " + kDigest.str() + ", found one of ''"},
      {"K3 payload", [](SimpleSignature& s) { s.payload += "\n"; },
       "key " + key.public_key().fingerprint() + ": signature: want one made by the ECDSA P-256 key " +
           key.public_key().fingerprint() + ", found another one"},
  };
  for (const auto& [name, change, reason] : kCases) {
    SCOPED_TRACE(name);
    auto signature = good;
    change(signature);
    const auto verdict = verify(signature, {key.public_key()});
    EXPECT_FALSE(verdict.trusted);
    EXPECT_EQ(verdict.reason(), reason);
  }
  EXPECT_FALSE(verify(good, {stranger.public_key()}).trusted);
  EXPECT_EQ(verify(good, {}).reason(), "no rule of the policy fits this signature");
}

// A signature with everything that keyless signing attaches; a test turns one thing.
struct KeylessOrder {
  LeafOrder leaf;
  Digest digest = kDigest;
  WallTime logged = kSigned;
  bool has_certificate = true;
  bool has_timestamp = false;
};

// What cosign attaches of a log entry.
std::string log_annotation(const json::value& entry) {
  const json::value annotation = {{"SignedEntryTimestamp", entry.at_pointer("/inclusionPromise/signedEntryTimestamp")},
                                  {"Payload",
                                   {{"body", entry.at("canonicalizedBody")},
                                    {"integratedTime", std::stoll(std::string(entry.at("integratedTime").as_string()))},
                                    {"logIndex", 77},
                                    {"logID", to_hex(TestInstance::id_of(test_instance().rekor_key))}}}};
  return json::serialize(annotation);
}

SimpleSignature keyless(const TestKey& key, const KeylessOrder& order = {}) {
  const auto& instance = test_instance();
  auto signature = signed_with(key, order.digest);
  const auto bytes = *base64_decode(signature.annotations.at(std::string(kSignatureAnnotation)));
  const auto certificate = write_pem("CERTIFICATE", instance.issue(key, order.leaf));
  const auto entry = instance.log_entry(
      "hashedrekord", hashedrekord_body(signature.payload, bytes, order.has_certificate ? certificate : key.pem()),
      order.logged);
  signature.annotations["dev.sigstore.cosign/bundle"] = log_annotation(entry);
  if (order.has_certificate) signature.annotations["dev.sigstore.cosign/certificate"] = certificate;
  if (order.has_timestamp)
    signature.annotations["dev.sigstore.cosign/rfc3161timestamp"] =
        R"({"SignedRFC3161Timestamp":")" + base64_encode(instance.timestamp(bytes)) + "\"}";
  return signature;
}

const KeylessIdentity kBuilder{.issuer = std::string(kTestIssuer), .subject = std::string(kTestSubject)};

Verdict verify_keyless(const SimpleSignature& signature, bool ignore_tlog = false, WallTime now = kSigned) {
  const auto root = test_instance().root();
  const TrustPolicy policy{.enabled = true, .keyless_identities = {kBuilder}, .ignore_tlog = ignore_tlog};
  return verify_simple_signature(signature, kDigest, policy, &root, now);
}

TEST(SimpleSigning, TrustsAnIdentity) {  // K5 to K7, K9
  const auto verdict = verify_keyless(keyless(TestKey::ec("P-256")));
  EXPECT_TRUE(verdict.trusted) << verdict.reason();
  EXPECT_EQ(verdict.by, "identity https://token.test https://forge.test/acme/shop/build.yml@refs/heads/main");
}

TEST(SimpleSigning, TrustsAKeyWhoseSignatureIsLogged) {  // K5 to K8
  const auto key = TestKey::ec("P-384");
  const auto root = test_instance().root();
  const TrustPolicy policy{.enabled = true, .public_keys = {key.public_key()}};
  for (const bool has_certificate : {false, true}) {
    const auto signature = keyless(key, {.has_certificate = has_certificate});
    const auto verdict = verify_simple_signature(signature, kDigest, policy, &root, kSigned);
    EXPECT_TRUE(verdict.trusted) << verdict.reason();
  }
}

TEST(SimpleSigning, RefusesACertificateOfAnotherKey) {  // K8
  const auto key = TestKey::ec("P-256"), other = TestKey::ec("P-256");
  auto signature = signed_with(key);
  signature.annotations["dev.sigstore.cosign/certificate"] = write_pem("CERTIFICATE", test_instance().issue(key));
  EXPECT_TRUE(verify(signature, {key.public_key()}).trusted);
  signature.annotations["dev.sigstore.cosign/certificate"] = write_pem("CERTIFICATE", test_instance().issue(other));
  EXPECT_TRUE(verify(signature, {key.public_key()})
                  .reason()
                  .ends_with("certificate: want a certificate for this key, found one for key " +
                             other.public_key().fingerprint()));
}

TEST(SimpleSigning, RefusesAReplayedKeylessSignature) {  // K4, reliability/T12
  EXPECT_TRUE(verify_keyless(keyless(TestKey::ec("P-256"), {.digest = kOther}))
                  .reason()
                  .starts_with("signed digest: want a signature of " + kDigest.str()));
}

TEST(SimpleSigning, JudgesACertificateByTheTimeThatIsProven) {  // F2
  const auto key = TestKey::ec("P-256");
  const auto later = kSigned + std::chrono::hours(1);
  EXPECT_TRUE(verify_keyless(keyless(key), false, later).trusted);
  EXPECT_FALSE(verify_keyless(keyless(key), true, later).trusted);
  EXPECT_TRUE(verify_keyless(keyless(key, {.has_timestamp = true}), true, later).trusted);
  EXPECT_FALSE(verify_keyless(keyless(key, {.logged = later})).trusted);
  EXPECT_FALSE(verify_keyless(keyless(key, {.logged = later, .has_timestamp = true})).trusted);
}

// F1: what comes with a signature is never an anchor
TEST(SimpleSigning, BelievesNoChainOfTheSigner) {
  const auto stranger = TestKey::ec("P-384");
  auto signature = keyless(TestKey::ec("P-256"), {.leaf = {.issuer_key = &stranger}});
  signature.annotations["dev.sigstore.cosign/chain"] =
      write_pem("CERTIFICATE",
                authority_der("intermediate", stranger, "intermediate", stranger, kSigned - kYear, kSigned + kYear));
  const auto verdict = verify_keyless(signature);
  EXPECT_FALSE(verdict.trusted);
  EXPECT_NE(verdict.reason().find("found none that issued it"), std::string::npos) << verdict.reason();
}

TEST(SimpleSigning, CountsALogOnlyWhileItIsInUse) {  // K7
  const auto key = TestKey::ec("P-256");
  const auto signature = keyless(key, {.logged = kSigned + 2 * kYear, .has_certificate = false});
  const auto root = test_instance().root();
  const TrustPolicy policy{.enabled = true, .public_keys = {key.public_key()}};
  const auto verdict = verify_simple_signature(signature, kDigest, policy, &root, kSigned);
  EXPECT_FALSE(verdict.trusted);
  EXPECT_NE(verdict.reason().find("want a time when log rekor.test was in use"), std::string::npos) << verdict.reason();
}

// K6: the log promises to have the entry, and all but its kind is right
TEST(SimpleSigning, TakesNoLogEntryOfAnotherKind) {
  const auto good = keyless(TestKey::ec("P-256"));
  const auto attached = json::parse(good.annotations.at("dev.sigstore.cosign/bundle"));
  auto body = json::parse(*base64_decode(std::string_view(attached.at_pointer("/Payload/body").as_string())));
  for (const std::string kind : {"hashedrekord", "rekord", "intoto", "dsse"}) {
    SCOPED_TRACE(kind);
    body.at("kind") = kind;
    auto signature = good;
    signature.annotations["dev.sigstore.cosign/bundle"] =
        log_annotation(test_instance().log_entry(kind, json::serialize(body)));
    const auto verdict = verify_keyless(signature);
    EXPECT_EQ(verdict.trusted, kind == "hashedrekord") << verdict.reason();
    EXPECT_EQ(verdict.reason().ends_with("transparency log: log entry 77: kind: want hashedrekord"), !verdict.trusted)
        << verdict.reason();
  }
}

TEST(SimpleSigning, SaysWhatIsWrongWithTheLogEntry) {  // K5 to K7
  struct Case {
    std::string_view id;
    void (*change)(std::string& annotation, std::map<std::string, std::string>& all);
    std::string_view reason;
  };
  using Annotations = std::map<std::string, std::string>;
  const Case cases[] = {
      {"K5 none", [](std::string&, Annotations& all) { all.erase("dev.sigstore.cosign/bundle"); },
       "transparency log: want the annotation dev.sigstore.cosign/bundle, found none"},
      {"K5 JSON", [](std::string& text, Annotations&) { text = "{"; },
       "transparency log: annotation dev.sigstore.cosign/bundle: invalid JSON at byte 2: incomplete JSON"},
      {"K5 a key twice", [](std::string& text, Annotations&) { text.replace(1, 0, R"("Payload":{},)"); },
       "transparency log: annotation dev.sigstore.cosign/bundle: key 'Payload' stands twice in one object"},
      {"K5 field", [](std::string& text, Annotations&) { text = R"({"Payload":{"logID":"xyz"}})"; },
       "transparency log: annotation dev.sigstore.cosign/bundle: Payload.logID: want hexadecimal text"},
      {"K6 another signature",
       [](std::string& text, Annotations&) {
         text = keyless(TestKey::ec("P-256")).annotations.at("dev.sigstore.cosign/bundle");
       },
       "want the signature that is judged here, found another one"},
      {"K7 log", [](std::string& text, Annotations&) { text = R"({"Payload":{"logID":"abcd"}})"; },
       "transparency log: the trusted root has no log abcd"},
      {"K7 index",
       [](std::string& text, Annotations&) {
         auto value = json::parse(text);
         value.at_pointer("/Payload/logIndex") = 78;
         text = json::serialize(value);
       },
       "transparency log: log entry 78: want a signed entry timestamp of log rekor.test"},
      {"K9 not a certificate", [](std::string&, Annotations& all) { all["dev.sigstore.cosign/certificate"] = "junk"; },
       "form: annotation dev.sigstore.cosign/certificate: found no PEM block"},
      {"K9 none", [](std::string&, Annotations& all) { all.erase("dev.sigstore.cosign/certificate"); },
       "certificate: want a signature made with a certificate, found one made with a key"},
  };
  const auto good = keyless(TestKey::ec("P-256"));
  for (const auto& [id, change, reason] : cases) {
    SCOPED_TRACE(id);
    auto signature = good;
    change(signature.annotations["dev.sigstore.cosign/bundle"], signature.annotations);
    const auto verdict = verify_keyless(signature);
    EXPECT_FALSE(verdict.trusted);
    EXPECT_NE(verdict.reason().find(reason), std::string::npos) << verdict.reason();
  }
}

}  // namespace
}  // namespace windlass
