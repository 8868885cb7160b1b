// Where a token service may send on whoever wants a token (oci 3.1): through a Registry whose peers are a table.
#include "oci/token_service.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "oci/fake_registry.h"

namespace windlass {
namespace {

using TokenServiceTest = HttpRegistryTest;

// Each one, by whomever it is sent
TEST_F(TokenServiceTest, JudgesTheRedirectsOfATokenService) {
  const std::string first = "https://auth.example/token?scope=repository%3Aapp%3Apull",
                    second = "https://two.example/t";
  const std::string link_local = " is at a link-local address";
  const std::string other = " is at a private address other than the registry's";
  const std::string nowhere = "invalid: token service https://auth.example/token redirects too often or to nowhere";
  const auto denied = [](const std::string& place, const std::string& why) {
    return "denied: token service " + place + why;
  };
  const std::pair<std::string, std::string> rows[] = {
      {"https://169.254.169.254/x", denied("https://169.254.169.254/x", link_local)},
      {"https://2852039166/x", denied("https://169.254.169.254/x", link_local)},
      {"http://auth.example/token", denied("http://auth.example/token", " is on plain HTTP")},
      {"http://r.example/token", denied("http://r.example/token", " is on plain HTTP")},
      {"https://10.0.0.1/x", denied("https://10.0.0.1/x", other)},
      {"https://127.0.0.1/x", denied("https://127.0.0.1/x", other)},
      {"https://[::1]/x", denied("https://[::1]/x", other)},
      {"https://0.0.0.0/x", denied("https://0.0.0.0/x", other)},
      {"file:///etc/passwd", nowhere},
      {"https://u:p@auth.example/", nowhere},
  };
  credentials.credential = BasicCredential{"user", Secret("pass")};
  for (const auto& [location, message] : rows) {
    SCOPED_TRACE(location);
    const HttpResponse there{.status = 302, .headers = {{"Location", location}}};
    for (const bool is_first : {true, false}) {
      answers.clear();
      transport.asked.clear();
      make();
      on("HEAD " + kTag, challenge("Bearer realm=\"https://auth.example/token\""));
      on("GET " + first, is_first ? there : HttpResponse{.status = 307, .headers = {{"Location", second}}});
      on("GET " + second, there);
      EXPECT_EQ(resolve(), message);
      auto want = std::vector<std::string>{"HEAD " + kTag, "GET " + first};
      if (!is_first) want.push_back("GET " + second);
      EXPECT_EQ(asked(), want);
    }
  }
}

TEST_F(TokenServiceTest, FollowsTenRedirectsOfATokenService) {
  for (const int redirects : {10, 11}) {
    SCOPED_TRACE(redirects);
    answers.clear();
    transport.asked.clear();
    make();
    on("HEAD " + kTag, challenge("Bearer realm=\"https://auth.example/token\""));
    on("HEAD " + kTag, kFound);
    std::string url = "https://auth.example/token?scope=repository%3Aapp%3Apull";
    for (int i = 1; i <= redirects; ++i) {
      const auto next = fmt::format("https://auth.example/{}", i);
      on("GET " + url, HttpResponse{.status = 307, .headers = {{"Location", next}}});
      url = next;
    }
    on("GET " + url, HttpResponse{.status = 200, .body = R"({"token":"T"})"});
    const auto refusal = "invalid: token service https://auth.example/token redirects too often or to nowhere";
    EXPECT_EQ(resolve(), redirects == 10 ? kDigest : refusal);
    EXPECT_EQ(transport.asked.size(), redirects == 10 ? 13u : 12u);
  }
}

// It would take the identity token along.
TEST_F(TokenServiceTest, FollowsNoRedirectOfAPost) {
  credentials.credential = IdentityToken{Secret("id")};
  for (const int status : {302, 307}) {
    make();
    transport.asked.clear();
    answers.clear();
    on("HEAD " + kTag, challenge("Bearer realm=\"https://auth.example/token\""));
    on("POST https://auth.example/token",
       HttpResponse{.status = status, .headers = {{"Location", "https://two.example/token"}}});
    EXPECT_EQ(resolve(), "invalid: token service https://auth.example/token redirects too often or to nowhere");
    EXPECT_EQ(asked(), (std::vector<std::string>{"HEAD " + kTag, "POST https://auth.example/token"}));
  }
}

// oci 3.1: what leaves the host of the token service takes no password along
TEST_F(TokenServiceTest, FollowsATokenServiceThatMoved) {
  credentials.credential = BasicCredential{"user", Secret("pass")};
  const std::string query = "?scope=repository%3Aapp%3Apull";
  on("HEAD " + kTag, challenge("Bearer realm=\"https://auth.example/token\""));
  on("HEAD " + kTag, kFound);
  on("GET https://auth.example/token" + query, HttpResponse{.status = 302, .headers = {{"Location", "/new?x=1"}}});
  on("GET https://auth.example/new?x=1",
     HttpResponse{.status = 307, .headers = {{"Location", "https://auth2.example/token?x=2"}}});
  on("GET https://auth2.example/token?x=2", HttpResponse{.status = 200, .body = R"({"token":"T"})"});
  EXPECT_EQ(resolve(), kDigest);
  EXPECT_NE(header_of(transport.asked.at(2), "Authorization"), "");
  EXPECT_EQ(header_of(transport.asked.at(3), "Authorization"), "");
  EXPECT_EQ(header_of(transport.asked.at(4), "Authorization"), "Bearer T");

  answers.clear();
  make();
  on("HEAD " + kTag, challenge("Bearer realm=\"https://auth.example/token\""));
  on("GET https://auth.example/token" + query,
     HttpResponse{.status = 302, .headers = {{"Location", "https://auth.example/token" + query}}});
  EXPECT_EQ(resolve(), "invalid: token service https://auth.example/token redirects too often or to nowhere");
}

}  // namespace
}  // namespace windlass
