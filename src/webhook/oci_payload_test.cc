#include "webhook/oci_payload.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

const std::string kHex(64, 'a');

std::string payload(std::string_view source, std::string_view digest, std::string_view artifact) {
  return R"({"source":)" + std::string(source) + R"(,"digest":)" + std::string(digest) + R"(,"artifact":)" +
         std::string(artifact) + "}";
}
std::string with_digest(std::string_view digest) { return payload(R"("oci")", digest, R"("ghcr.io/my/app:1")"); }
std::string with_artifact(std::string_view artifact) {
  return payload(R"("oci")", "\"sha256:" + kHex + "\"", artifact);
}
std::string with_more(std::string_view more) {
  return R"({"source":"oci","digest":"sha256:)" + kHex + R"(","artifact":"ghcr.io/my/app:1",)" + std::string(more) +
         "}";
}

std::string fault_of(std::string_view body) {
  const auto parsed = parse_oci_payload(body);
  return parsed ? "accepted" : parsed.error().error + " | " + parsed.error().content;
}

// webhook/V1 to V12, J4, J5
TEST(OciPayload, NamesTheFieldThatIsWrong) {
  const std::string good = "\"sha256:" + kHex + "\"";
  const std::pair<std::string, std::string> kRows[] = {
      {payload("\"git\"", good, "\"a/b\""), R"(invalid field: source | must be "oci")"},
      {payload("\"OCI\"", good, "\"a/b\""), R"(invalid field: source | must be "oci")"},
      {payload("null", good, "\"a/b\""), R"(invalid field: source | must be "oci")"},
      {payload("1", "1", "1"), R"(invalid field: source | must be "oci")"},
      {with_digest("null"), "invalid field: digest | is required"},
      {with_digest("\" \\t\""), "invalid field: digest | is required"},
      {with_digest("7"), "invalid field: digest | must be a string"},
      {with_digest("{\"a\":\"b\"}"), "invalid field: digest | must be a string"},
      {with_digest("[\"a\"]"), "invalid field: digest | must be a string"},
      {with_digest("\"sha256\""), "invalid field: digest | expected <algorithm>:<hex>"},
      {with_digest("\"sha256:\""), "invalid field: digest | expected <algorithm>:<hex>"},
      {with_digest("\":" + kHex + "\""), "invalid field: digest | expected <algorithm>:<hex>"},
      {with_digest("\"md5:abc\""), R"(invalid field: digest | unsupported algorithm "md5", expected sha256 or sha512)"},
      {with_digest("\"SHA256:" + kHex + "\""),
       R"(invalid field: digest | unsupported algorithm "SHA256", expected sha256 or sha512)"},
      {with_digest("\"sha512:" + kHex + "\""), "invalid field: digest | sha512 needs 128 hex characters, got 64"},
      {with_artifact("null"), "invalid field: artifact | is required"},
      {with_artifact("\"  \""), "invalid field: artifact | is required"},
      {with_artifact("false"), "invalid field: artifact | must be a string"},
      {payload("\"oci\"", "\"bad\"", "\"\""), "invalid field: artifact | is required"},
      {with_artifact("\"ghcr.io/my/app@sha256:" + std::string(64, 'b') + "\""),
       R"(invalid field: digest | differs from the digest in "artifact")"},
  };
  for (const auto& [body, fault] : kRows) {
    SCOPED_TRACE(body);
    EXPECT_EQ(fault_of(body), fault);
  }
  EXPECT_TRUE(fault_of(with_artifact("\"ghcr.io/../etc:1\""))
                  .starts_with("invalid field: artifact | not a valid OCI reference: "));
}

// webhook/V2, V8; reliability 6, "must be taken"
TEST(OciPayload, TakesEveryProperForm) {
  const std::string bodies[] = {
      payload("\" oci \"", "\" sha256:" + kHex + "\\n\"", "\" ghcr.io/my/app:1 \""),
      payload("\"o\\u0063i\"", "\"sha256:" + kHex + "\"", "\"ghcr.io\\/my\\/app:1\""),
      with_more("\"n\":" + std::string(60, '9') + ",\"e\":\"\\ud83d\\ude00\",\"x\":{\"source\":1,\"digest\":[{}]}"),
      with_more("\"x\":1,\"x\":2,\"Digest\":3"),  // J1, J2: other names are other fields
      " \r\n\t" + with_more("\"x\":null") + "\n",
      with_artifact("\"ghcr.io/my/app:1@sha256:" + kHex + "\""),
      with_more("\"x\":" + std::string(127, '[') + std::string(127, ']')),  // J8: 128 levels with the object
  };
  for (const auto& body : bodies) EXPECT_EQ(fault_of(body), "accepted") << body;
  const auto parsed = parse_oci_payload(bodies[0]);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->artifact, "ghcr.io/my/app:1");
  EXPECT_EQ(parsed->reference.source_id(), "ghcr.io/my/app");
  EXPECT_EQ(parsed->digest.str(), "sha256:" + kHex);
}

// webhook/J3, J6 to J9; reliability 6, row "JSON"
TEST(OciPayload, RefusesWhatIsNoProperJson) {
  const std::string good = with_more("\"x\":1");
  const std::string bodies[] = {
      " ",
      "\xef\xbb\xbf" + good,
      std::string("{\0}\0", 4),
      good + good,
      good + "x",
      good + ",",
      "// c\n" + good,
      "{'source':'oci'}",
      with_more("\"x\":1,"),
      with_more("\"x\":[1,]"),
      with_more("\"x\":NaN"),
      with_more("\"x\":Infinity"),
      with_more("\"x\":0x10"),
      with_more("\"x\":01"),
      with_more("\"x\":\"a\nb\""),
      with_more("\"x\":\"\\x\""),
      with_more("\"x\":\"\xc0\xaf\""),
      with_more("\"x\":\"\xff\""),
      with_more("\"x\":\"\xed\xa0\x80\""),
      with_more("\"x\":\"\\ud800\""),
      "null",
      "[]",
      "1",
      "\"oci\"",
      "true",
      with_more("\"x\":" + std::string(128, '[') + std::string(128, ']')),
      std::string(100'000, '['),
      with_more("\"source\":\"oci\""),
      with_more("\"digest\":null"),
      with_more("\"\\u0061rtifact\":\"b\""),
      "payload=%7B%7D",
      "\x1f\x8b\x08",
      good.substr(0, good.size() - 1),
  };
  for (const auto& body : bodies) {
    SCOPED_TRACE(body.substr(0, 200));
    EXPECT_TRUE(fault_of(body).starts_with("failed to parse payload | invalid JSON at byte ")) << fault_of(body);
  }
  EXPECT_EQ(fault_of(R"({"source":"oci","s\u006furce":"oci"})"),
            R"(failed to parse payload | invalid JSON at byte 29: duplicate field "source")");
}

}  // namespace
}  // namespace windlass
