#include "secrets/infisical.h"

#include <gtest/gtest.h>

#include "secrets/fetched_texts.h"
#include "sys/fake_http.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

class Infisical : public ::testing::Test {
 protected:
  Infisical() {
    provider = make_infisical(
        {.api_url = "https://infisical.example/api", .client_id = "id", .client_secret = Secret("c-secret")},
        SecretHttp(transport, clock, {.tries = 1}), clock);
    transport.answer = [this](const HttpRequest& request) {
      if (request.url.ends_with("/login")) {
        const auto token = "token-" + std::to_string(++logins);
        return HttpResponse{.status = login_status,
                            .body = R"({"accessToken":")" + token + R"(","expiresIn":7200,"tokenType":"Bearer"})"};
      }
      if (refused.contains(header(request, "Authorization"))) return HttpResponse{.status = 401};
      return answer;
    };
  }
  static std::string header(const HttpRequest& request, std::string_view name) {
    for (const auto& header : request.headers)
      if (header.name == name) return header.value;
    return "";
  }
  std::string fetched(const std::string& reference) {
    return fetched_texts(provider->fetch({reference}, Deadline::in(10s))).at(0);
  }

  HttpResponse answer{.status = 200, .body = R"({"secret":{"secretKey":"KEY","secretValue":"s3cret"}})"};
  int login_status = 200;
  int logins = 0;
  std::set<std::string> refused;
  FakeTransport transport;
  FakeClock clock;
  std::unique_ptr<SecretProvider> provider;
};

TEST_F(Infisical, LogsInAndReads) {
  EXPECT_EQ(fetched("project:prod:KEY"), "s3cret");
  ASSERT_EQ(transport.asked.size(), 2u);
  const auto& login = transport.asked[0];
  EXPECT_EQ(login.method, "POST");
  EXPECT_EQ(login.url, "https://infisical.example/api/v1/auth/universal-auth/login");
  EXPECT_EQ(header(login, "Content-Type"), "application/json");
  EXPECT_EQ(login.body, R"({"clientId":"id","clientSecret":"c-secret"})");
  const auto& read = transport.asked[1];
  EXPECT_EQ(read.method, "GET");
  EXPECT_EQ(read.url,
            "https://infisical.example/api/v3/secrets/raw/KEY?workspaceId=project&environment=prod&secretPath=%2F"
            "&expandSecretReferences=true&include_imports=true&type=shared");
  EXPECT_EQ(header(read, "Authorization"), "Bearer token-1");
}

TEST_F(Infisical, ReadsTheFormsOfAReference) {
  struct Row {
    std::string reference, place;  // key and path in the URL, or the error
  };
  const std::string form = "\": expected format 'projectId:env:[/some/path/]key'";
  for (const auto& [reference, place] : std::initializer_list<Row>{
           {"p:e:KEY", "KEY %2F"},
           {"p:e:/KEY", "KEY %2F"},
           {"p:e:/a/b/KEY", "KEY %2Fa%2Fb"},
           {"p:e:a/b/KEY", "KEY %2Fa%2Fb"},
           {"p:e:a b/K Y", "K%20Y %2Fa%20b"},
           {"p:e:", "invalid: invalid secret reference \"p:e:" + form},
           {"p:e:/a/", "invalid: invalid secret reference \"p:e:/a/" + form},
           {"p:e:/a//b", "invalid: invalid secret reference \"p:e:/a//b" + form},
           {"p:KEY", "invalid: invalid secret reference \"p:KEY" + form},
           {":e:KEY", "invalid: invalid secret reference \":e:KEY" + form},
           {"p:e:a:KEY", "invalid: invalid secret reference \"p:e:a:KEY" + form},
       }) {
    transport.asked.clear();
    const auto value = fetched(reference);
    if (value != "s3cret") {
      EXPECT_EQ(value, place);
      continue;
    }
    const auto& url = transport.asked.back().url;
    const auto key = url.substr(url.find("/raw/") + 5, url.find('?') - url.find("/raw/") - 5);
    const auto path = url.find("secretPath=") + 11;
    EXPECT_EQ(key + " " + url.substr(path, url.find("&expand") - path), place);
  }
}

TEST_F(Infisical, KeepsItsTokenUntilItEndsOrIsRefused) {
  fetched("p:e:A");
  fetched("p:e:B");
  EXPECT_EQ(logins, 1);
  clock.advance(2h);
  fetched("p:e:A");
  EXPECT_EQ(logins, 2);
  refused = {"Bearer token-2"};
  EXPECT_EQ(fetched("p:e:A"), "s3cret");
  EXPECT_EQ(logins, 3);
  refused = {"Bearer token-3", "Bearer token-4"};
  EXPECT_EQ(fetched("p:e:A"), "denied: GET https://infisical.example/api/v3/secrets/raw/A: status 401");
  EXPECT_EQ(logins, 4);
}

TEST_F(Infisical, SaysWhyThereIsNoValue) {
  answer = {.status = 404, .body = "s3cret"};
  EXPECT_EQ(fetched("p:e:A"), "not_found: GET https://infisical.example/api/v3/secrets/raw/A: status 404");
  answer = {.status = 200, .body = "{}"};
  EXPECT_EQ(fetched("p:e:A"), "invalid: the answer holds no secretValue");
  clock.advance(2h);
  login_status = 401;
  EXPECT_EQ(fetched("p:e:A"),
            "denied: login: POST https://infisical.example/api/v1/auth/universal-auth/login: status 401");
}

}  // namespace
}  // namespace windlass
