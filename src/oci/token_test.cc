#include "oci/token.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

// oci 3.1
TEST(TokenAnswer, IsReadFromEitherName) {
  const struct {
    std::string_view body, token;
    int seconds;  // it stays valid, less the time it is on its way
  } rows[] = {
      {R"({"token":"a"})", "a", 50},
      {R"({"token":"a","access_token":"b","expires_in":300})", "b", 290},
      {R"({"access_token":"b","token":7,"expires_in":5})", "b", 0},
      {R"({"token":"a","expires_in":-1})", "a", 50},
      {R"({"token":"a","expires_in":9000000000})", "a", 86'390},
      {R"({"token":"a","expires_in":"300"})", "a", 50},
  };
  for (const auto& [body, token, seconds] : rows) {
    SCOPED_TRACE(body);
    const auto answer = parse_token_answer(body);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->token, token);
    EXPECT_EQ(answer->valid_for.count(), seconds);
  }
}

// reliability 6: what a token service sends goes into a header of the next request
TEST(TokenAnswer, SaysWhyItIsRefused) {
  const std::string no_header = "token answer holds a token that fits no header";
  const std::pair<std::string, std::string> rows[] = {
      {"", "token answer is not a JSON object"},
      {"<html>", "token answer is not a JSON object"},
      {R"(["a"])", "token answer is not a JSON object"},
      {R"({"token":"","access_token":null})", "token answer holds no token"},
      {R"({"token":{"a":"b"}})", "token answer holds no token"},
      {R"({"token":"a\r\nX-Evil: 1"})", no_header},
      {R"({"token":"a\u0000"})", no_header},
      {R"({"access_token":"a b"})", no_header},
      {R"({"token":"\u00e4"})", no_header},
  };
  for (const auto& [body, message] : rows) {
    SCOPED_TRACE(body);
    const auto answer = parse_token_answer(body);
    ASSERT_FALSE(answer) << "was accepted";
    EXPECT_EQ(answer.error().kind, Kind::invalid);
    EXPECT_EQ(answer.error().message, message);
  }
}

TEST(TokenScopes, AreThoseOfTheChallengeAndOurOwnOnce) {
  using Scopes = std::vector<std::string>;
  const auto asked = [](std::string scope) {
    return scopes_for("my/app", "pull", AuthChallenge{.scope = std::move(scope)});
  };
  EXPECT_EQ(asked(""), (Scopes{"repository:my/app:pull"}));
  EXPECT_EQ(asked("repository:other:pull"), (Scopes{"repository:other:pull", "repository:my/app:pull"}));
  EXPECT_EQ(asked(" repository:my/app:pull  "), (Scopes{"repository:my/app:pull"}));
  EXPECT_EQ(asked("repository:my/app:pull a repository:my/app:pull a"), (Scopes{"repository:my/app:pull", "a"}));
}

TEST(TokenRequest, TellsServiceAndScopes) {
  const auto realm = *parse_url("https://auth.example/token?account=x");
  const AuthChallenge challenge{.scheme = AuthChallenge::Scheme::bearer, .service = "r example"};
  const auto anonymous = token_request(realm, challenge, {"a:b:pull", "c"}, Credential());
  EXPECT_EQ(anonymous.url, "https://auth.example/token?account=x&scope=a%3Ab%3Apull&scope=c&service=r%20example");
  EXPECT_TRUE(anonymous.headers.empty());
  EXPECT_EQ(anonymous.body_bytes_max, 65536u);
  const auto known = token_request(realm, {}, {}, BasicCredential{"u", Secret("p")});
  EXPECT_EQ(known.url, "https://auth.example/token?account=x");
  EXPECT_EQ(HttpResponse{.headers = known.headers}.header("Authorization"), "Basic dTpw");
}

}  // namespace
}  // namespace windlass
