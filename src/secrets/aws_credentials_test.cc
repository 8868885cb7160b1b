#include "secrets/aws_credentials.h"

#include <gtest/gtest.h>

#include "sys/fake_http.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;
using Environment = AwsCredentialChain::Environment;

constexpr auto kTemporary = R"({"Code":"Success","AccessKeyId":"TEMP","SecretAccessKey":"t-secret","Token":"t-token",)"
                            R"("Expiration":"2026-01-02T04:04:05Z"})";  // an hour after the clock of the tests

class AwsCredentialChainTest : public ::testing::Test {
 protected:
  AwsCredentialChain chain(const AwsSettings& settings, const Environment& environment) {
    return {settings, environment, SecretHttp(transport, clock, {.tries = 1}), clock};
  }
  static std::string text(const Result<AwsCredentials>& found) {
    if (!found) return std::string(to_string(found.error().kind)) + ": " + found.error().message;
    return found->access_key_id + " " + found->secret_access_key.reveal() + " " + found->session_token.reveal();
  }
  std::string get(const AwsSettings& settings, const Environment& environment) {
    auto made = chain(settings, environment);
    return text(made.get(Deadline::in(10s)));
  }
  FakeTransport transport;
  FakeClock clock;
};

TEST_F(AwsCredentialChainTest, AreTheKeysOfTheSettingsFirst) {
  const Environment environment = {
      {"AWS_ACCESS_KEY_ID", "ENV"}, {"AWS_SECRET_ACCESS_KEY", "e-secret"}, {"AWS_SESSION_TOKEN", "e-token"}};
  AwsSettings settings;
  EXPECT_EQ(get(settings, environment), "ENV e-secret e-token");
  settings.access_key_id = "OWN";
  settings.secret_access_key = Secret("o-secret");
  EXPECT_EQ(get(settings, environment), "OWN o-secret ");
  EXPECT_TRUE(transport.asked.empty());
}

TEST_F(AwsCredentialChainTest, ComeFromTheContainersAddress) {
  transport.answer = [](const HttpRequest&) { return HttpResponse{.status = 200, .body = kTemporary}; };
  EXPECT_EQ(get({}, {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/x"},
                     {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "auth"}}),
            "TEMP t-secret t-token");
  EXPECT_EQ(transport.asked.at(0).url, "http://169.254.170.2/v2/credentials/x");
  EXPECT_EQ(transport.asked[0].headers.at(0).value, "auth");
  EXPECT_FALSE(transport.asked[0].use_proxy);
  EXPECT_TRUE(transport.asked[0].may_be_link_local);
  EXPECT_EQ(
      get({}, {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://elsewhere.example/x"}}),
      "invalid: AWS credentials: AWS_CONTAINER_CREDENTIALS_FULL_URI: neither https nor an address of this machine");
}

TEST_F(AwsCredentialChainTest, ComeFromTheInstancesRole) {
  transport.answer = [](const HttpRequest& request) {
    if (request.method == "PUT") return HttpResponse{.status = 200, .body = "imds-token"};
    if (request.url.ends_with("/")) return HttpResponse{.status = 200, .body = "my-role\n"};
    return HttpResponse{.status = 200, .body = kTemporary};
  };
  EXPECT_EQ(get({}, {}), "TEMP t-secret t-token");
  ASSERT_EQ(transport.asked.size(), 3u);
  for (const auto& request : transport.asked) EXPECT_TRUE(request.may_be_link_local) << request.url;
  EXPECT_EQ(transport.asked[0].url, "http://169.254.169.254/latest/api/token");
  EXPECT_EQ(transport.asked[2].url, "http://169.254.169.254/latest/meta-data/iam/security-credentials/my-role");
  EXPECT_EQ(transport.asked[2].headers.at(0).value, "imds-token");
}

TEST_F(AwsCredentialChainTest, AreKeptUntilShortlyBeforeTheirEnd) {
  transport.answer = [](const HttpRequest&) { return HttpResponse{.status = 200, .body = kTemporary}; };
  auto made = chain({}, {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x"}});
  EXPECT_EQ(text(made.get(Deadline::in(10s))), "TEMP t-secret t-token");
  clock.advance(54min);
  EXPECT_EQ(text(made.get(Deadline::in(10s))), "TEMP t-secret t-token");
  EXPECT_EQ(transport.asked.size(), 1u);
  clock.advance(2min);
  EXPECT_EQ(text(made.get(Deadline::in(10s))), "TEMP t-secret t-token");
  EXPECT_EQ(transport.asked.size(), 2u);
}

TEST_F(AwsCredentialChainTest, SayWhenThereAreNone) {
  EXPECT_EQ(get({}, {{"AWS_EC2_METADATA_DISABLED", "true"}}),
            "denied: no AWS credentials: set SECRET_PROVIDER_ACCESS_KEY_ID");
  EXPECT_EQ(get({}, {}), "denied: AWS credentials: the metadata service gives no token");
  transport.answer = [](const HttpRequest&) { return HttpResponse{.status = 200, .body = "{}"}; };
  EXPECT_EQ(get({}, {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x"}}),
            "invalid: AWS credentials: the answer holds no credentials");
}

}  // namespace
}  // namespace windlass
