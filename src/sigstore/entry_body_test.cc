#include "sigstore/entry_body.h"

#include <gtest/gtest.h>

#include "sigstore/bundle_fixture.h"

namespace windlass {
namespace {

const std::string kMessage = "a message";
const std::string kSignature = "a signature";
const TestKey& key() {
  static const auto key = TestKey::ec("P-256");
  return key;
}

SignedContent message() {
  return {.message = kMessage, .message_sha256 = openssl::hash_of(kMessage, EVP_sha256()), .signature = kSignature};
}
SignedContent envelope() {
  auto content = message();
  content.envelope_payload_sha256 = openssl::hash_of("payload", EVP_sha256());
  return content;
}

Status check(const std::string& kind, const std::string& version, const std::string& body,
             const SignedContent& content) {
  return check_entry_body({.log_index = 7, .kind = kind, .version = version, .body = body}, content, key().der());
}

std::string hashedrekord(const std::string& algorithm, const std::string& hash) {
  auto value = json::parse(hashedrekord_body(kMessage, kSignature, key().pem()));
  value.at_pointer("/spec/data/hash") = {{"algorithm", algorithm}, {"value", hash}};
  return json::serialize(value);
}

std::string v2_with_key(const std::string& record) {
  const json::value verifier = {{"publicKey", {{"rawBytes", base64_encode(key().der())}}}};
  const json::value signature = {{"content", base64_encode(kSignature)}, {"verifier", verifier}};
  const auto digest = [](std::string_view text) -> json::value {
    return {{"algorithm", "SHA2_256"}, {"digest", base64_encode(openssl::hash_of(text, EVP_sha256()))}};
  };
  const json::value spec =
      record == "dsse"
          ? json::value{{"dsseV002", {{"payloadHash", digest("payload")}, {"signatures", json::array{signature}}}}}
          : json::value{{"hashedRekordV002", {{"data", digest(kMessage)}, {"signature", signature}}}};
  return json::serialize(json::value{{"apiVersion", "0.0.2"}, {"kind", record}, {"spec", spec}});
}

std::string intoto() {
  const json::value signature = {{"sig", base64_encode(base64_encode(kSignature))},
                                 {"publicKey", base64_encode(key().pem())}};
  return json::serialize(
      json::value{{"apiVersion", "0.0.2"},
                  {"kind", "intoto"},
                  {"spec",
                   {{"content",
                     {{"envelope", {{"signatures", json::array{signature}}}},
                      {"payloadHash", {{"algorithm", "sha256"}, {"value", sha256_hex("payload")}}}}}}}});
}

std::string dsse() { return dsse_body({.payload = "payload", .signature = kSignature}, key().pem()); }

TEST(EntryBody, TakesEveryKindAboutTheSameSignature) {  // K6, B9
  struct Case {
    std::string kind, version, body;
    SignedContent content;
  };
  const Case cases[] = {
      {"hashedrekord", "0.0.1", hashedrekord("sha256", sha256_hex(kMessage)), message()},
      {"hashedrekord", "0.0.1", hashedrekord("sha384", to_hex(openssl::hash_of(kMessage, EVP_sha384()))), message()},
      {"hashedrekord", "0.0.1", hashedrekord("sha512", sha512_hex(kMessage)), message()},
      {"hashedrekord", "0.0.2", v2_with_key("hashedrekord"), message()},
      {"hashedrekord", "0.0.2", v2_with_key("hashedrekord"), envelope()},
      {"dsse", "0.0.1", dsse(), envelope()},
      {"dsse", "0.0.2", v2_with_key("dsse"), envelope()},
      {"intoto", "0.0.2", intoto(), envelope()},
  };
  for (const auto& [kind, version, body, content] : cases) {
    SCOPED_TRACE(kind + " " + version);
    const auto status = check(kind, version, body, content);
    EXPECT_TRUE(status) << status.error().message;
    auto other = content;
    other.signature = "another";
    EXPECT_EQ(check(kind, version, body, other).error().message,
              "log entry 7: want the signature that is judged here, found another one");
    other = content;
    other.message = "another message";
    other.message_sha256 = openssl::hash_of("another message", EVP_sha256());
    if (!other.envelope_payload_sha256.empty()) other.envelope_payload_sha256 = other.message_sha256;
    EXPECT_FALSE(check(kind, version, body, other));
  }
}

TEST(EntryBody, SaysWhatDiffers) {
  const auto stranger = TestKey::ec("P-256");
  auto unread = message();
  unread.message.reset();
  struct Case {
    std::string kind, version, body;
    SignedContent content;
    std::string message;
  };
  const auto good = hashedrekord("sha256", sha256_hex(kMessage));
  const Case cases[] = {
      {"rekord", "0.0.1", R"({"kind":"rekord","apiVersion":"0.0.1"})", message(), "kind rekord 0.0.1 is not known"},
      {"dsse", "0.0.1", good, message(), "kind: want dsse"},
      {"hashedrekord", "0.0.2", good, message(), "apiVersion: want 0.0.2"},
      {"hashedrekord", "0.0.1", "{", message(), "invalid JSON at byte 2: incomplete JSON"},
      {"hashedrekord", "0.0.1", R"({"spec":{},)" + good.substr(1), message(), "key 'spec' stands twice in one object"},
      {"hashedrekord", "0.0.1", hashedrekord("md5", ""), message(),
       "spec.data.hash.algorithm: want SHA-256, SHA-384 or SHA-512"},
      {"hashedrekord", "0.0.1", hashedrekord("sha256", "zz"), message(), "spec.data.hash.value: want hexadecimal text"},
      {"hashedrekord", "0.0.1", hashedrekord("sha256", "abcd"), message(),
       "want the hash " + sha256_hex(kMessage) + ", found abcd"},
      {"hashedrekord", "0.0.1", hashedrekord("sha512", sha512_hex(kMessage)), unread,
       "want a hash by SHA-256, found one by SHA512"},
      {"hashedrekord", "0.0.1", hashedrekord_body(kMessage, kSignature, stranger.pem()), message(),
       "want the key or certificate " + key().public_key().fingerprint() + ", found " +
           stranger.public_key().fingerprint()},
      {"hashedrekord", "0.0.1", hashedrekord_body(kMessage, kSignature, "no PEM"), message(),
       "spec.signature.publicKey.content: found no PEM block (-----BEGIN …-----)"},
      {"dsse", "0.0.1", dsse(), message(), "want an entry about a signature without an envelope"},
      {"dsse", "0.0.1", R"({"kind":"dsse","apiVersion":"0.0.1","spec":{"signatures":[]}})", envelope(),
       "spec.signatures: want one"},
  };
  for (const auto& [kind, version, body, content, wanted] : cases) {
    SCOPED_TRACE(wanted);
    const auto status = check(kind, version, body, content);
    ASSERT_FALSE(status) << "was accepted";
    EXPECT_EQ(status.error().message, "log entry 7: " + wanted);
  }
}

}  // namespace
}  // namespace windlass
