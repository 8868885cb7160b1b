#include "secrets/openbao.h"

#include <gtest/gtest.h>

#include "secrets/fetched_texts.h"
#include "sys/fake_http.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

class Openbao : public ::testing::Test {
 protected:
  Openbao() { make({}); }
  void make(std::string name_space) {
    provider = *make_openbao({.site_url = "https://bao.example:8200",
                              .token = Secret("s.token"),
                              .name_space = std::move(name_space),
                              .ca_file = {},
                              .client_cert_file = {},
                              .client_key_file = {}},
                             SecretHttp(transport, clock, {.tries = 3, .first_wait = 1ms}),
                             Log({.level = LogLevel::critical}));
    transport.answer = [this](const HttpRequest& request) {
      const auto found = pages.find(request.url.substr(std::string_view("https://bao.example:8200/v1/").size()));
      return found == pages.end() ? HttpResponse{.status = 404, .body = R"({"errors":[]})"} : found->second;
    };
  }
  std::vector<std::string> fetched(const std::vector<std::string>& references) {
    return fetched_texts(provider->fetch(references, Deadline::in(10s)));
  }
  std::string fetched(const std::string& reference) { return fetched(std::vector{reference}).at(0); }
  // What was asked on behalf of references; the token is tended on a thread of its own.
  std::vector<HttpRequest> asked() {
    const std::lock_guard lock(transport.mutex);
    auto requests = transport.asked;
    std::erase_if(requests,
                  [](const HttpRequest& request) { return request.url.ends_with("/auth/token/lookup-self"); });
    return requests;
  }
  void forget() {
    const std::lock_guard lock(transport.mutex);
    transport.asked.clear();
  }
  std::string header(std::string_view name) {
    const auto last = asked().back();
    for (const auto& header : last.headers)
      if (header.name == name) return header.value;
    return "(none)";
  }

  std::map<std::string, HttpResponse> pages = {
      {"secret/data/app", {.status = 200, .body = R"({"data":{"data":{"password":"s3cret","port":5432,"on":true,
                                                     "list":[1],"empty":""},"metadata":{"version":3}}})"}},
      {"team/kv/data/apps/web%20shop", {.status = 200, .body = R"({"data":{"data":{"key":"deep"}}})"}},
      {"old/app", {.status = 200, .body = R"({"data":{"password":"first"}})"}},
      {"sys/internal/ui/mounts/old", {.status = 200, .body = R"({"data":{"type":"kv","options":{"version":"1"}}})"}},
      {"sys/internal/ui/mounts/secret", {.status = 200, .body = R"({"data":{"type":"kv","options":{"version":"2"}}})"}},
  };
  FakeTransport transport;
  FakeClock clock;
  std::unique_ptr<SecretProvider> provider;
};

TEST_F(Openbao, ReadsAKeyOfASecret) {
  EXPECT_EQ(fetched("kv:secret:app:password"), "s3cret");
  ASSERT_EQ(asked().size(), 1u);
  EXPECT_EQ(asked()[0].method, "GET");
  EXPECT_EQ(asked()[0].url, "https://bao.example:8200/v1/secret/data/app");
  EXPECT_EQ(header("X-Vault-Token"), "s.token");
  EXPECT_EQ(header("X-Vault-Namespace"), "(none)");
}

TEST_F(Openbao, ReadsSeveralKeysOfOneSecretAtOnce) {
  EXPECT_EQ(fetched({"kv:secret:app:password", "kv:secret:app:port", "kv:secret:app:on", "kv:secret:app:empty"}),
            (std::vector<std::string>{"s3cret", "5432", "true", ""}));
  EXPECT_EQ(asked().size(), 1u);
}

TEST_F(Openbao, KeepsSlashesOfNamesAndEncodesTheRest) { EXPECT_EQ(fetched("kv:team/kv:apps/web shop:key"), "deep"); }

TEST_F(Openbao, SendsTheNamespaceOfTheReferenceOrOfTheSettings) {
  fetched("kv:acme:secret:app:password");
  EXPECT_EQ(header("X-Vault-Namespace"), "acme");
  make("standard");
  fetched("kv:secret:app:password");
  EXPECT_EQ(header("X-Vault-Namespace"), "standard");
}

TEST_F(Openbao, ReadsVersion1WhereTheMountSaysSo) {
  EXPECT_EQ(fetched("kv:old:app:password"), "first");
  EXPECT_EQ(asked().size(), 3u);  // version 2, the mount, version 1
  EXPECT_EQ(fetched("kv:old:app:password"), "first");
  EXPECT_EQ(asked().size(), 4u);  // known from then on
}

TEST_F(Openbao, SaysWhyThereIsNoValue) {
  struct Row {
    std::string reference, expected;
  };
  const std::string form = "\": expected kv:[namespace:]engine:secret:key";
  for (const auto& [reference, expected] : std::initializer_list<Row>{
           {"kv:secret:app:nothing", "not_found: key nothing not found in secret app"},
           {"kv:secret:other:key", "not_found: there is no secret other in engine secret"},
           {"kv:nowhere:app:key", "not_found: there is no secret app in engine nowhere"},
           {"kv:secret:app:list", "invalid: value of key list is not a string"},
           {"secret:app:key", "invalid: invalid secret reference: unexpected ref format \"secret:app:key" + form},
           {"kv:app:key", "invalid: invalid secret reference: unexpected ref format \"kv:app:key" + form},
           {"kv:secret::key", "invalid: invalid secret reference: unexpected ref format \"kv:secret::key" + form},
           {"kv:old:../auth/token/lookup-self:id",
            "invalid: invalid secret reference \"kv:old:../auth/token/lookup-self:id\": \".\" and \"..\" are no names"},
           {"kv:old/..:x:key", "invalid: invalid secret reference \"kv:old/..:x:key\": \".\" and \"..\" are no names"},
           {"kv:a:b:c:d:e", "invalid: invalid secret reference: unexpected ref format \"kv:a:b:c:d:e" + form},
           {"pki:engine:example.org",
            "invalid: secret reference \"pki:engine:example.org\": pki is not built yet in this version of windlass, "
            "only kv is"},
           {"pki-role:engine:role:example.org",
            "invalid: secret reference \"pki-role:engine:role:example.org\": pki-role is not built yet in this version "
            "of "
            "windlass, only kv is"},
       })
    EXPECT_EQ(fetched(reference), expected);
}

TEST_F(Openbao, TellsTheStatusOfAnAnswer) {
  struct Row {
    int status;
    std::string expected;
    std::size_t tries;
  };
  const std::string place = "GET https://bao.example:8200/v1/secret/data/app: status ";
  for (const auto& [status, expected, tries] : std::initializer_list<Row>{{403, "denied: " + place + "403", 1},
                                                                          {400, "invalid: " + place + "400", 1},
                                                                          {500, "unavailable: " + place + "500", 3},
                                                                          {429, "unavailable: " + place + "429", 3}}) {
    pages["secret/data/app"] = {.status = status, .body = "s3cret"};
    forget();
    EXPECT_EQ(fetched("kv:secret:app:password"), expected);
    EXPECT_EQ(asked().size(), tries) << status;
  }
  for (const auto* body : {"[]", "{}", R"({"data":null})", R"({"data":{"data":null}})"}) {
    pages["secret/data/app"] = {.status = 200, .body = body};
    EXPECT_EQ(fetched("kv:secret:app:password"), "not_found: there is no secret app in engine secret") << body;
  }
}

}  // namespace
}  // namespace windlass
