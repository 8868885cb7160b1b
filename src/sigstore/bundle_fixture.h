// Whole bundles of the private instance, for a test to change.
#pragma once

#include <string>

#include "model/digest.h"
#include "sigstore/envelope.h"
#include "sigstore/instance_fixture.h"
#include "sigstore/pem.h"

namespace windlass {

inline const Digest kArtifact = Digest::of_sha256_hex(std::string(64, 'a'));
inline const Digest kOtherArtifact = Digest::of_sha256_hex(std::string(64, 'b'));

enum class LogKind { rekor1, rekor2 };

struct BundleOrder {
  LeafOrder leaf;
  Digest digest = kArtifact;
  std::string predicate{kCosignPredicate};
  LogKind log = LogKind::rekor1;
  WallTime logged = kSigned;
  bool has_timestamp = false;
  bool signed_with_key = false;  // no certificate
};

struct TestBundle {
  json::value value;
  PublicKey key;

  std::string text() const { return json::serialize(value); }
  json::value& at(std::string_view pointer) { return value.at_pointer(pointer); }
};

inline std::string statement_about(const Digest& digest, const std::string& predicate) {
  return json::serialize(
      json::value{{"_type", "https://in-toto.io/Statement/v1"},
                  {"subject", json::array{{{"name", "shop"}, {"digest", {{"sha256", digest.hex()}}}}}},
                  {"predicateType", predicate},
                  {"predicate", json::object()}});
}

// The body of an entry of Rekor v1 about an envelope.
inline std::string dsse_body(const Envelope& envelope, const std::string& verifier_pem) {
  return json::serialize(
      json::value{{"apiVersion", "0.0.1"},
                  {"kind", "dsse"},
                  {"spec",
                   {{"payloadHash", {{"algorithm", "sha256"}, {"value", sha256_hex(envelope.payload)}}},
                    {"signatures", json::array{{{"signature", base64_encode(envelope.signature)},
                                                {"verifier", base64_encode(verifier_pem)}}}}}}});
}

// The body of an entry of Rekor v1 about a message.
inline std::string hashedrekord_body(std::string_view message, std::string_view signature,
                                     const std::string& verifier_pem) {
  return json::serialize(json::value{
      {"apiVersion", "0.0.1"},
      {"kind", "hashedrekord"},
      {"spec",
       {{"data", {{"hash", {{"algorithm", "sha256"}, {"value", sha256_hex(message)}}}}},
        {"signature",
         {{"content", base64_encode(signature)}, {"publicKey", {{"content", base64_encode(verifier_pem)}}}}}}}});
}

// The body of an entry of Rekor v2.
inline std::string hashedrekord_v2_body(std::string_view message, std::string_view signature,
                                        const std::string& certificate_der) {
  const auto hash = openssl::hash_of(message, EVP_sha256());
  return json::serialize(
      json::value{{"apiVersion", "0.0.2"},
                  {"kind", "hashedrekord"},
                  {"spec",
                   {{"hashedRekordV002",
                     {{"data", {{"algorithm", "SHA2_256"}, {"digest", base64_encode(hash)}}},
                      {"signature",
                       {{"content", base64_encode(signature)},
                        {"verifier", {{"x509Certificate", {{"rawBytes", base64_encode(certificate_der)}}}}}}}}}}}});
}

inline TestBundle make_bundle(const BundleOrder& order = {}) {
  const auto& instance = test_instance();
  const auto key = TestKey::ec("P-256");
  const auto leaf = instance.issue(key, order.leaf);
  Envelope envelope{.payload = statement_about(order.digest, order.predicate),
                    .payload_type = std::string(kStatementMediaType)};
  const auto message = pre_authentication_encoding(envelope);
  envelope.signature = key.sign(message);
  const auto verifier = order.signed_with_key ? key.pem() : write_pem("CERTIFICATE", leaf);
  json::object material;
  if (order.signed_with_key)
    material["publicKey"] = {{"hint", "a key"}};
  else
    material["certificate"] = {{"rawBytes", base64_encode(leaf)}};
  material["tlogEntries"] = json::array{
      order.log == LogKind::rekor1 ? instance.log_entry("dsse", dsse_body(envelope, verifier), order.logged)
                                   : instance.log_entry_v2(hashedrekord_v2_body(message, envelope.signature, leaf))};
  if (order.has_timestamp)
    material["timestampVerificationData"] = {
        {"rfc3161Timestamps",
         json::array{{{"signedTimestamp", base64_encode(instance.timestamp(envelope.signature))}}}}};
  return {.value = {{"mediaType", "application/vnd.dev.sigstore.bundle.v0.3+json"},
                    {"verificationMaterial", material},
                    {"dsseEnvelope",
                     {{"payload", base64_encode(envelope.payload)},
                      {"payloadType", envelope.payload_type},
                      {"signatures", json::array{{{"sig", base64_encode(envelope.signature)}}}}}}},
          .key = key.public_key()};
}

}  // namespace windlass
