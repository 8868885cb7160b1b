#include "oci/auth_challenge.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

using Scheme = AuthChallenge::Scheme;

TEST(AuthChallenge, IsRead) {
  const struct {
    std::string text;
    Scheme scheme;
    std::string realm, service, scope;
  } rows[] = {
      {R"(Bearer realm="https://auth.example/token",service="r.example",scope="repository:a/b:pull")", Scheme::bearer,
       "https://auth.example/token", "r.example", "repository:a/b:pull"},
      {R"(bearer REALM = "https://auth.example/token" , error="x")", Scheme::bearer, "https://auth.example/token", "",
       ""},
      {R"(Basic realm="a \"b\", c")", Scheme::basic, R"(a "b", c)", "", ""},
      {"Basic", Scheme::basic, "", "", ""},
      {R"(Negotiate abc==, Basic realm=x)", Scheme::basic, "x", "", ""},
      {R"(Digest realm="d", nonce="n", Bearer realm="b")", Scheme::bearer, "b", "", ""},
      {R"(Bearer realm="b", Basic realm="x")", Scheme::bearer, "b", "", ""},
      {R"(Bearer realm="unclosed)", Scheme::bearer, "unclosed", "", ""},
      {R"(Bearer realm="ends with \)", Scheme::bearer, "ends with ", "", ""},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.text);
    const auto challenge = parse_challenge(row.text);
    ASSERT_TRUE(challenge);
    EXPECT_EQ(challenge->scheme, row.scheme);
    EXPECT_EQ(challenge->realm, row.realm);
    EXPECT_EQ(challenge->service, row.service);
    EXPECT_EQ(challenge->scope, row.scope);
  }
}

TEST(AuthChallenge, IsNothingInOtherText) {
  for (const auto* text : {"", ",,,", "=", "Digest realm=\"d\"", "\"", "@@@", "realm=\"x\""}) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(parse_challenge(text));
  }
}

TEST(AuthChallenge, ComesFromTheFirstHeaderThatHasOne) {
  const HttpResponse response{
      .headers = {{"WWW-Authenticate", "Digest a=b"}, {"www-authenticate", "Basic realm=\"x\""}}};
  ASSERT_TRUE(challenge_of(response));
  EXPECT_EQ(challenge_of(response)->realm, "x");
  EXPECT_FALSE(challenge_of(HttpResponse{}));
}

}  // namespace
}  // namespace windlass
