// A private Sigstore instance made in the test: certificate authority, certificate log, two transparency logs (Rekor v1
// and v2) and a timestamp authority, with the trusted root that names them.
#pragma once

#include <fmt/format.h>
#include <openssl/ts.h>

#include <string>
#include <vector>

#include "base/text.h"
#include "sigstore/certificate_fixture.h"
#include "sigstore/inclusion_proof.h"
#include "sigstore/trusted_root.h"
#include "sys/json.h"

namespace windlass {

inline const WallTime kSigned = FakeClock().wall;  // when everything in these tests is signed
inline constexpr auto kYear = std::chrono::hours(365 * 24);
inline constexpr std::string_view kTestIssuer = "https://token.test";
inline constexpr std::string_view kTestSubject = "https://forge.test/acme/shop/build.yml@refs/heads/main";

inline std::string big_endian_text(std::uint64_t number, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(number >> (8 * i) & 0xFF);
  return out;
}

// What a leaf is made of; a test turns one thing.
struct LeafOrder {
  std::string subject = "critical,URI:" + std::string(kTestSubject);
  std::string issuer = std::string(kTestIssuer);
  std::string extended_key_usage = "codeSigning";
  std::string key_usage = "critical,digitalSignature";
  std::string basic_constraints;
  WallTime from = kSigned - std::chrono::minutes(1), until = kSigned + std::chrono::minutes(9);
  const TestKey* issuer_key = nullptr;  // another one than the authority's
  bool has_timestamp = true;
  const TestKey* timestamp_key = nullptr;  // another one than the certificate log's
  std::string timestamp_log;               // another log id
  WallTime timestamp_time = kSigned;
  std::string timestamp_extensions;
  bool timestamp_of_another = false;  // signed over other bytes
};

class TestInstance {
 public:
  TestKey root_key = TestKey::ec("P-384"), intermediate_key = TestKey::ec("P-384");
  TestKey ct_key = TestKey::ec("P-256"), rekor_key = TestKey::ec("P-256"), rekor2_key = TestKey::ed25519();
  TestKey tsa_root_key = TestKey::ec("P-384"), tsa_key = TestKey::ec("P-256");
  std::string root_der = authority_der("root", root_key, "root", root_key, kSigned - kYear, kSigned + kYear);
  std::string intermediate_der =
      authority_der("intermediate", intermediate_key, "root", root_key, kSigned - kYear, kSigned + kYear);
  std::string tsa_root_der =
      authority_der("tsa root", tsa_root_key, "tsa root", tsa_root_key, kSigned - kYear, kSigned + kYear);
  std::string tsa_der = make_tsa(tsa_key, "critical,timeStamping");

  std::string make_tsa(const TestKey& key, const std::string& usage) const {
    return signed_der(draft_certificate({.name = "tsa",
                                         .issuer_name = "tsa root",
                                         .key = &key,
                                         .from = kSigned - kYear / 2,
                                         .until = kSigned + kYear / 2,
                                         .extensions = {{NID_ext_key_usage, usage}}}),
                      tsa_root_key);
  }

  static std::string id_of(const TestKey& key) { return openssl::hash_of(key.der(), EVP_sha256()); }

  // trusted_root.json, for a test to change.
  json::value trusted_root_json() const {
    return {{"mediaType", "application/vnd.dev.sigstore.trustedroot+json;version=0.1"},
            {"tlogs", {log_json(rekor_key, "https://rekor.test"), log_json(rekor2_key, "https://rekor2.test")}},
            {"ctlogs", json::array{log_json(ct_key, "https://ct.test/2026")}},
            {"certificateAuthorities", json::array{authority_json({intermediate_der, root_der})}},
            {"timestampAuthorities", json::array{authority_json({tsa_der, tsa_root_der})}}};
  }
  TrustedRoot root() const { return parsed(trusted_root_json()); }
  static TrustedRoot parsed(const json::value& value) {
    auto root = TrustedRoot::parse(json::serialize(value));
    if (!root) throw std::runtime_error(root.error().message);
    return *root;
  }

  std::string issue(const TestKey& key, const LeafOrder& order = {}) const {
    const auto draft = draft_certificate({.issuer_name = "intermediate",
                                          .key = &key,
                                          .from = order.from,
                                          .until = order.until,
                                          .extensions = {{NID_ext_key_usage, order.extended_key_usage},
                                                         {NID_key_usage, order.key_usage},
                                                         {NID_basic_constraints, order.basic_constraints},
                                                         {NID_subject_alt_name, order.subject}},
                                          .raw_extensions = {{"1.3.6.1.4.1.57264.1.8", utf8_string(order.issuer)}}});
    const auto& issuer_key = order.issuer_key != nullptr ? *order.issuer_key : intermediate_key;
    if (order.has_timestamp) {
      X509_sign(draft.get(), issuer_key.handle(), EVP_sha256());  // fills in the algorithm, which the timestamp covers
      add_raw_extension(draft.get(), "1.3.6.1.4.1.11129.2.4.2", octet_string(timestamp_list(draft, order)));
    }
    return signed_der(draft, issuer_key);
  }

  // An entry of Rekor v1: leaf 1 of three, with its promise.
  json::value log_entry(const std::string& kind, const std::string& body, WallTime time = kSigned) const {
    const auto seconds = std::chrono::system_clock::to_time_t(time);
    const auto promise = fmt::format(R"({{"body":"{}","integratedTime":{},"logID":"{}","logIndex":77}})",
                                     base64_encode(body), seconds, to_hex(id_of(rekor_key)));
    return {{"logIndex", "77"},
            {"logId", {{"keyId", base64_encode(id_of(rekor_key))}}},
            {"kindVersion", {{"kind", kind}, {"version", "0.0.1"}}},
            {"integratedTime", std::to_string(seconds)},
            {"inclusionPromise", {{"signedEntryTimestamp", base64_encode(rekor_key.sign(promise))}}},
            {"inclusionProof", proof(body, "rekor.test - 42", "rekor.test", rekor_key)},
            {"canonicalizedBody", base64_encode(body)}};
  }
  // One of Rekor v2, which promises nothing and knows no time.
  json::value log_entry_v2(const std::string& body) const {
    return {{"logIndex", "1"},
            {"logId", {{"keyId", base64_encode(id_of(rekor2_key))}}},
            {"kindVersion", {{"kind", "hashedrekord"}, {"version", "0.0.2"}}},
            {"inclusionProof", proof(body, "rekor2.test", "rekor2.test", rekor2_key)},
            {"canonicalizedBody", base64_encode(body)}};
  }
  json::value proof(const std::string& body, const std::string& origin, const std::string& name,
                    const TestKey& key) const {
    const auto left = leaf_hash("first"), right = leaf_hash("third");
    const auto root = *root_of(leaf_hash(body), 1, 3, {left, right});
    const auto text = fmt::format("{}\n3\n{}\n", origin, base64_encode(root));
    const auto note =
        fmt::format("{}\n\u2014 {} {}\n", text, name, base64_encode(id_of(key).substr(0, 4) + key.sign(text)));
    return {{"logIndex", "1"},
            {"treeSize", "3"},
            {"rootHash", base64_encode(root)},
            {"hashes", json::array{base64_encode(left), base64_encode(right)}},
            {"checkpoint", {{"envelope", note}}}};
  }

  // A timestamp response (DER) over `signature`.
  std::string timestamp(std::string_view signature, WallTime time = kSigned) const {
    return timestamp_by(tsa_key, tsa_der, signature, time);
  }
  static std::string timestamp_by(const TestKey& key, const std::string& certificate_der, std::string_view signature,
                                  WallTime time, const EVP_MD* hash = EVP_sha256()) {
    const auto* at = openssl::bytes(certificate_der);
    const TestX509 certificate(d2i_X509(nullptr, &at, static_cast<long>(certificate_der.size())));
    const std::unique_ptr<TS_RESP_CTX, openssl::Free<TS_RESP_CTX_free>> context(TS_RESP_CTX_new());
    TS_RESP_CTX_set_signer_cert(context.get(), certificate.get());
    TS_RESP_CTX_set_signer_key(context.get(), key.handle());
    TS_RESP_CTX_set_signer_digest(context.get(), EVP_sha256());
    TS_RESP_CTX_set_ess_cert_id_digest(context.get(), EVP_sha256());
    TS_RESP_CTX_add_md(context.get(), hash);
    const std::unique_ptr<ASN1_OBJECT, openssl::Free<ASN1_OBJECT_free>> policy(OBJ_txt2obj("1.2.3.4", 1));
    TS_RESP_CTX_set_def_policy(context.get(), policy.get());
    long seconds = std::chrono::system_clock::to_time_t(time);
    TS_RESP_CTX_set_time_cb(context.get(), tell_time, &seconds);
    TS_RESP_CTX_set_serial_cb(context.get(), tell_serial, nullptr);
    const auto request = timestamp_request(signature, hash);
    const auto reader = openssl::reader(request);
    const std::unique_ptr<TS_RESP, openssl::Free<TS_RESP_free>> response(
        TS_RESP_create_response(context.get(), reader.get()));
    return openssl::der_of(response.get(), i2d_TS_RESP);
  }

 private:
  static json::value window() { return {{"start", to_rfc3339(kSigned - kYear)}, {"end", to_rfc3339(kSigned + kYear)}}; }
  static json::value log_json(const TestKey& key, const std::string& url) {
    return {{"baseUrl", url},
            {"hashAlgorithm", "SHA2_256"},
            {"publicKey", {{"rawBytes", base64_encode(key.der())}, {"validFor", window()}}},
            {"logId", {{"keyId", base64_encode(id_of(key))}}}};
  }
  static json::value authority_json(const std::vector<std::string>& chain) {
    json::array certificates;
    for (const auto& der : chain) certificates.push_back(json::value{{"rawBytes", base64_encode(der)}});
    return {{"uri", "https://authority.test"}, {"certChain", {{"certificates", certificates}}}, {"validFor", window()}};
  }

  static std::string utf8_string(std::string_view text) {
    return "\x0c" + big_endian_text(text.size(), 1) + std::string(text);
  }
  static std::string octet_string(std::string_view text) {
    const std::unique_ptr<ASN1_OCTET_STRING, openssl::Free<ASN1_OCTET_STRING_free>> octets(ASN1_OCTET_STRING_new());
    ASN1_OCTET_STRING_set(octets.get(), openssl::bytes(text), static_cast<int>(text.size()));
    return openssl::der_of(octets.get(), i2d_ASN1_OCTET_STRING);
  }
  std::string timestamp_list(const TestX509& draft, const LeafOrder& order) const {
    const auto milliseconds = static_cast<std::uint64_t>(to_unix_us(order.timestamp_time) / 1000);
    const auto extensions = big_endian_text(order.timestamp_extensions.size(), 2) + order.timestamp_extensions;
    const auto tbs = openssl::der_of(draft.get(), i2d_re_X509_tbs) + (order.timestamp_of_another ? "x" : "");
    const auto text = std::string(2, '\0') + big_endian_text(milliseconds, 8) + big_endian_text(1, 2) +
                      id_of(intermediate_key) + big_endian_text(tbs.size(), 3) + tbs + extensions;
    const auto& key = order.timestamp_key != nullptr ? *order.timestamp_key : ct_key;
    const auto signature = key.sign(text);
    const auto log_id = order.timestamp_log.empty() ? id_of(ct_key) : order.timestamp_log;
    const auto timestamp = std::string(1, '\0') + log_id + big_endian_text(milliseconds, 8) + extensions + "\x04\x03" +
                           big_endian_text(signature.size(), 2) + signature;
    const auto item = big_endian_text(timestamp.size(), 2) + timestamp;
    return big_endian_text(item.size(), 2) + item;
  }

  static int tell_time(TS_RESP_CTX*, void* seconds, long* out, long* microseconds) {
    *out = *static_cast<long*>(seconds);
    *microseconds = 0;
    return 1;
  }
  static ASN1_INTEGER* tell_serial(TS_RESP_CTX*, void*) {
    auto* serial = ASN1_INTEGER_new();
    ASN1_INTEGER_set(serial, 1);
    return serial;
  }
  static std::string timestamp_request(std::string_view signature, const EVP_MD* hash) {
    const std::unique_ptr<TS_REQ, openssl::Free<TS_REQ_free>> request(TS_REQ_new());
    const std::unique_ptr<TS_MSG_IMPRINT, openssl::Free<TS_MSG_IMPRINT_free>> imprint(TS_MSG_IMPRINT_new());
    const std::unique_ptr<X509_ALGOR, openssl::Free<X509_ALGOR_free>> algorithm(X509_ALGOR_new());
    X509_ALGOR_set_md(algorithm.get(), hash);
    TS_MSG_IMPRINT_set_algo(imprint.get(), algorithm.get());
    auto bytes = openssl::hash_of(signature, hash);
    TS_MSG_IMPRINT_set_msg(imprint.get(), reinterpret_cast<unsigned char*>(bytes.data()),
                           static_cast<int>(bytes.size()));
    TS_REQ_set_version(request.get(), 1);
    TS_REQ_set_msg_imprint(request.get(), imprint.get());
    return openssl::der_of(request.get(), i2d_TS_REQ);
  }
};

// One instance for the tests of a program: making it takes a while, and it never changes.
inline const TestInstance& test_instance() {
  static const TestInstance instance;
  return instance;
}

}  // namespace windlass
