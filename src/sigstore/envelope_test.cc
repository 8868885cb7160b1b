#include "sigstore/envelope.h"

#include <gtest/gtest.h>

#include "sigstore/bundle_fixture.h"

namespace windlass {
namespace {

TEST(Envelope, EncodesTypeAndPayloadWithTheirLengths) {  // B4, the example of the DSSE specification
  EXPECT_EQ(pre_authentication_encoding({.payload = "hello world", .payload_type = "http://example.com/HelloWorld"}),
            "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
}

Result<std::string> check(const std::string& payload, std::string_view predicate = kCosignPredicate) {
  return check_statement({.payload = payload, .payload_type = std::string(kStatementMediaType)}, kArtifact, predicate);
}

std::string statement(const std::string& subjects) {
  return R"({"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://sigstore.dev/cosign/sign/v1","subject":)" +
         subjects + "}";
}

std::string subject(const Digest& digest) {
  return fmt::format(R"({{"digest":{{"sha1":"ff","sha256":"{}"}}}})", digest.hex());
}

TEST(Envelope, MayBeAboutSeveralArtifacts) {  // B5
  EXPECT_EQ(check(statement("[" + subject(kOtherArtifact) + "," + subject(kArtifact) + "]")).value_or("refused"),
            "the statement is about " + kArtifact.str());
  EXPECT_TRUE(check(statement_about(kArtifact, "https://slsa.dev/provenance/v1"), ""));
}

TEST(Envelope, SaysWhatIsWrongWithAStatement) {  // B5
  std::string many = "[" + subject(kArtifact);
  for (int i = 0; i < 1024; ++i) many += "," + subject(kOtherArtifact);
  const std::pair<std::string, std::string_view> refused[] = {
      {"", "reading the statement: invalid JSON at byte 1: incomplete JSON"},
      {R"({"predicateType":"a","predicateType":"b"})",
       "reading the statement: key 'predicateType' stands twice in one object"},
      {"[]", "want a statement, found no JSON object"},
      {"{}", "want a statement of type https://in-toto.io/Statement/v1, found ''"},
      {statement_about(kArtifact, "https://slsa.dev/provenance/v1"),
       "want the predicate https://sigstore.dev/cosign/sign/v1, found 'https://slsa.dev/provenance/v1'"},
      {statement("{}"), "want 1 to 1024 subjects, found 0"},
      {statement(many + "]"), "want 1 to 1024 subjects, found 1025"},
      {statement("[]"),
       "want a statement about "
       "sha256:aaaa"},
      {statement("[1,{},{\"digest\":[]}]"), "want a statement about sha256:aaaa"},
      {statement("[" + subject(kOtherArtifact) + "]"), "want a statement about sha256:aaaa"},
  };
  for (const auto& [payload, message] : refused) {
    SCOPED_TRACE(message);
    const auto checked = check(payload);
    ASSERT_FALSE(checked) << "was accepted";
    EXPECT_TRUE(checked.error().message.starts_with(message)) << checked.error().message;
  }
}

}  // namespace
}  // namespace windlass
