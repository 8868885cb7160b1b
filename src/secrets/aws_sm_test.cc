#include "secrets/aws_sm.h"

#include <gtest/gtest.h>

#include "secrets/fetched_texts.h"
#include "sys/fake_http.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

std::string header(const HttpRequest& request, std::string_view name) {
  for (const auto& header : request.headers)
    if (header.name == name) return header.value;
  return "(none)";
}

// The case "get-vanilla" of the test suite that AWS published for this signature.
TEST(AwsSignature, IsThatOfThePublishedSuite) {
  HttpRequest request{.url = "https://example.amazonaws.com/"};
  sign_for_aws(request, {.region = "us-east-1", .service = "service"},
               {.access_key_id = "AKIDEXAMPLE",
                .secret_access_key = Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
                .session_token = {}},
               *parse_rfc3339("2015-08-30T12:36:00Z"));
  EXPECT_EQ(header(request, "Authorization"),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
            "SignedHeaders=host;x-amz-date, "
            "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

class AwsSm : public ::testing::Test {
 protected:
  AwsSm() {
    provider = make_aws_sm(
        {.region = "eu-central-1"}, [this](const Deadline&) { return credentials; },
        SecretHttp(transport, clock, {.tries = 1}), clock);
    transport.answer = [this](const HttpRequest& request) {
      const std::string id(parse_json(request.body)->at("SecretId").as_string());
      const auto found = answers.find(id);
      if (found != answers.end()) return found->second;
      return HttpResponse{.status = 400,
                          .body = R"({"__type":"com.amazonaws#ResourceNotFoundException","Message":"s3cret"})"};
    };
  }
  std::vector<std::string> fetched(const std::vector<std::string>& references) {
    return fetched_texts(provider->fetch(references, Deadline::in(10s)));
  }
  std::string fetched(const std::string& reference) { return fetched(std::vector{reference}).at(0); }
  static HttpResponse text(const std::string& value) {
    return {.status = 200, .body = json::serialize(json::object{{"SecretString", value}})};
  }

  Result<AwsCredentials> credentials = AwsCredentials{
      .access_key_id = "AKID", .secret_access_key = Secret("secret-key"), .session_token = Secret("session")};
  std::map<std::string, HttpResponse> answers = {
      {"prod/db", text("s3cret")},
      {"json", text(R"({"user":"app","port":5432,"tags":["a"],"sub/key":"deep"})")},
      {"arn:aws:secretsmanager:us-east-1:1:secret:json-AbCdEf", text(R"({"user":"app","a/b":"slash"})")},
      {"arn:aws:secretsmanager:us-east-1:1:secret:prod/db-AbCdEf", text("whole")},
      {"binary", {.status = 200, .body = R"({"SecretBinary":"AAEC"})"}},
  };
  FakeTransport transport;
  FakeClock clock;
  std::unique_ptr<SecretProvider> provider;
};

TEST_F(AwsSm, AsksForASecretWithASignature) {
  EXPECT_EQ(fetched("prod/db"), "s3cret");
  ASSERT_EQ(transport.asked.size(), 1u);
  const auto& request = transport.asked[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "https://secretsmanager.eu-central-1.amazonaws.com/");
  EXPECT_EQ(request.body, R"({"SecretId":"prod/db"})");
  EXPECT_EQ(header(request, "Content-Type"), "application/x-amz-json-1.1");
  EXPECT_EQ(header(request, "X-Amz-Target"), "secretsmanager.GetSecretValue");
  EXPECT_EQ(header(request, "X-Amz-Date"), "20260102T030405Z");
  EXPECT_EQ(header(request, "X-Amz-Security-Token"), "session");
  EXPECT_EQ(header(request, "Authorization"),
            "AWS4-HMAC-SHA256 Credential=AKID/20260102/eu-central-1/secretsmanager/aws4_request, "
            "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, "
            "Signature=6c207f1c63c0b10252324b8967ee1c09d9e90ad0f4cd7383ce7978936353a00e");
}

TEST_F(AwsSm, TakesKeysOutOfJson) {
  EXPECT_EQ(fetched({"json#user", "json#port", "json#tags", "json#sub/key", "json"}),
            (std::vector<std::string>{"app", "5432", R"(["a"])", "deep",
                                      R"({"user":"app","port":5432,"tags":["a"],"sub/key":"deep"})"}));
  EXPECT_EQ(transport.asked.size(), 1u);
}

TEST_F(AwsSm, ReadsAnArnWithASlashInBothWays) {
  const std::string arn = "arn:aws:secretsmanager:us-east-1:1:secret:";
  EXPECT_EQ(fetched(arn + "prod/db-AbCdEf"), "whole");
  EXPECT_EQ(transport.asked.back().url, "https://secretsmanager.us-east-1.amazonaws.com/");
  EXPECT_EQ(fetched(arn + "json-AbCdEf/user"), "app");
  EXPECT_EQ(fetched(arn + "json-AbCdEf/a/b"), "slash");
  EXPECT_EQ(fetched(arn + "json-AbCdEf#user"), "app");
  EXPECT_EQ(fetched(arn + "json-AbCdEf/nothing"), "not_found: secret path not found in JSON: nothing");
}

TEST_F(AwsSm, GivesBinarySecretsInBase64) { EXPECT_EQ(fetched("binary"), "AAEC"); }

TEST_F(AwsSm, SaysWhyThereIsNoValue) {
  const std::string place = "POST https://secretsmanager.eu-central-1.amazonaws.com/: status ";
  EXPECT_EQ(fetched("other"), "not_found: " + place + "400: ResourceNotFoundException");
  EXPECT_EQ(fetched("prod/db#key"), "invalid: the secret is no JSON object");
  EXPECT_EQ(fetched("arn:aws:secretsmanager:no_region:1:secret:x"), "invalid: \"no_region\" is not a region of AWS");
  struct Row {
    int status;
    std::string_view type, expected;
  };
  for (const auto& [status, type, expected] : std::initializer_list<Row>{
           {400, "AccessDeniedException", "denied: "},
           {400, "UnrecognizedClientException", "denied: "},
           {400, "InvalidSignatureException", "denied: "},
           {400, "ExpiredTokenException", "denied: "},
           {400, "ThrottlingException", "unavailable: "},
           {500, "InternalServiceError", "unavailable: "},
           {400, "DecryptionFailure", "invalid: "},
       }) {
    answers["prod/db"] = {.status = status, .body = R"({"__type":")" + std::string(type) + R"(","message":"s3cret"})"};
    EXPECT_EQ(fetched("prod/db"), std::string(expected) + place + std::to_string(status) + ": " + std::string(type));
  }
  credentials = fail(Kind::denied, "no credentials");
  EXPECT_EQ(fetched("prod/db"), "denied: no credentials");
}

}  // namespace
}  // namespace windlass
