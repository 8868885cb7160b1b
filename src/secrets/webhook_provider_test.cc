#include "secrets/webhook_provider.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "secrets/fetched_texts.h"
#include "sys/fake_http.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kStores = R"(
stores:
  vaultwarden:
    url: http://warden:8087/object/item/{{ .remote_ref.key }}
    json_path: "data.fields[?name=='{{ .remote_ref.field }}'].value"
  login:
    url: http://warden:8087/object/item/{{ .remote_ref.key }}
    json_path: data.login.password
  query:
    method: post
    url: https://store.example/v1/query?env={{ .remote_ref.env | urlencode }}
    headers:
      Authorization: Bearer {{ .auth.token }}
      accept: application/vnd.store+json
      X-Basic: '{{ printf "%s:%s" .auth.username .auth.password | b64enc }}'
    body: '{"id": {{ .remote_ref.id }}, "name": {{ .remote_ref.name | json }}}'
    json_path: "{{ .remote_ref.path }}"
---
name: raw
url: http://store.example/{{ .remote_ref.path }}
json_path: value
raw: true
)";

class WebhookProvider : public ::testing::Test {
 protected:
  WebhookProvider() {
    WebhookStoreSettings settings{.stores = Secret(std::string(kStores)),
                                  .username = Secret("me"),
                                  .password = Secret("pass"),
                                  .token = Secret("t0ken"),
                                  .api_key = {}};
    provider = *make_webhook_provider(settings, SecretHttp(transport, clock, {.tries = 2, .first_wait = 1ms}));
  }

  // The value, or the error with its kind in front.
  std::string fetched(const std::string& reference) {
    const auto results = provider->fetch({reference}, Deadline::in(10s));
    if (results.size() != 1) return "no single result";
    return fetched_texts(results).at(0);
  }
  void answer(int status, std::string body) {
    transport.answer = [status, body](const HttpRequest&) { return HttpResponse{.status = status, .body = body}; };
  }
  std::string header(std::string_view name) {
    for (const auto& header : transport.asked.back().headers)
      if (header.name == name) return header.value;
    return "(none)";
  }

  FakeTransport transport;
  FakeClock clock;
  std::unique_ptr<SecretProvider> provider;
};

constexpr auto kPassword = R"({"remote_ref":{"key":"db"},"store_ref":"login"})";

TEST_F(WebhookProvider, AsksTheStoreAndTakesWhatThePathFinds) {
  answer(200, R"({"data":{"login":{"password":"s3cret"}}})");
  EXPECT_EQ(fetched(kPassword), "s3cret");
  ASSERT_EQ(transport.asked.size(), 1u);
  const auto& request = transport.asked[0];
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.url, "http://warden:8087/object/item/db");
  EXPECT_EQ(request.body, "");
  EXPECT_EQ(request.connect_timeout, 5s);
  EXPECT_EQ(request.body_bytes_max, 1u << 20);
  EXPECT_EQ(header("Accept"), "application/json");
  EXPECT_EQ(header("User-Agent"), "windlass/" WINDLASS_VERSION);
  EXPECT_EQ(header("Content-Type"), "(none)");
}

TEST_F(WebhookProvider, RendersMethodHeadersAndBody) {
  answer(200, R"({"value":"s3cret"})");
  EXPECT_EQ(
      fetched(R"({"remote_ref":{"env":"a b&c","id":12345678,"name":"\"x\"","path":"value"},"store_ref":"query"})"),
      "s3cret");
  const auto& request = transport.asked[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "https://store.example/v1/query?env=a+b%26c");
  EXPECT_EQ(request.body, R"({"id": 12345678, "name": "\"x\""})");
  EXPECT_EQ(header("Authorization"), "Bearer t0ken");
  EXPECT_EQ(header("X-Basic"), "bWU6cGFzcw==");
  EXPECT_EQ(header("Content-Type"), "application/json; charset=utf-8");
  EXPECT_EQ(header("accept"), "application/vnd.store+json");
  EXPECT_EQ(header("Accept"), "(none)");
}

TEST_F(WebhookProvider, KeepsAValueFromChangingUrlAndPath) {
  answer(200,
         R"({"data":{"fields":[{"name":"x'] || data.fields[?name!='","value":"mine"},{"name":"y","value":"no"}]}})");
  EXPECT_EQ(
      fetched(R"({"remote_ref":{"key":"../a?b=c#d","field":"x'] || data.fields[?name!='"},"store_ref":"vaultwarden"})"),
      "mine");
  EXPECT_EQ(transport.asked[0].url, "http://warden:8087/object/item/..%2Fa%3Fb%3Dc%23d");
  answer(200, R"({"value":"s3cret"})");
  EXPECT_EQ(fetched(R"({"remote_ref":{"path":"a/b?c=d"},"store_ref":"raw"})"), "s3cret");
  EXPECT_EQ(transport.asked[1].url, "http://store.example/a/b?c=d");
}

// V1.7
TEST(WebhookProviderPath, KeepsAValueInItsQuotes) {
  const auto fetched = [](std::string_view json_path, std::string_view value) {
    FakeTransport transport;
    FakeClock clock;
    transport.answer = [](const HttpRequest&) -> Result<HttpResponse> {
      return HttpResponse{.status = 200, .body = R"({"a\"b\\c":"by name","others":"stolen","list":["x`y"]})"};
    };
    const auto stores = fmt::format("stores: {{s: {{url: 'http://s', json_path: {}}}}}", json_path);
    const auto provider = make_webhook_provider({.stores = Secret(stores)}, SecretHttp(transport, clock));
    EXPECT_TRUE(provider) << provider.error().message;
    if (!provider) return std::string();
    const json::object reference{{"store_ref", "s"}, {"remote_ref", json::object{{"v", value}}}};
    const auto secret = (*provider)->fetch({json::serialize(reference)}, Deadline()).at(0);
    return secret ? secret->reveal() : secret.error().message;
  };
  const std::string refused = "store \"s\": json_path: ";
  const std::string raw = R"y("not_null(no, '{{ .remote_ref.v }}')")y";
  const std::string literal = R"y("not_null(no, `\"{{ .remote_ref.v }}\"`)")y";
  const std::string name = R"y('"{{ .remote_ref.v }}"')y";
  EXPECT_EQ(fetched(raw, "it's"), "it's");
  EXPECT_EQ(fetched(literal, "x`y"), "x`y");
  EXPECT_EQ(fetched(name, R"(a"b\c)"), "by name");
  for (const auto* value : {R"(\', others, ')", R"(\)", R"(a\b)"}) {
    EXPECT_EQ(fetched(raw, value), refused + "a value with a backslash cannot stand between ' and '");
    EXPECT_EQ(fetched(literal, value), refused + "a value with a backslash cannot stand between ` and `");
  }
  EXPECT_EQ(fetched(literal, R"(x", "y)"),
            refused + "a value with a double quote cannot stand in a string between ` and `");
  const std::string behind_backslash = R"y("not_null(no, '\\{{ .remote_ref.v }}')")y";
  EXPECT_EQ(fetched(behind_backslash, "', others, '"), refused + "a value cannot stand behind a backslash");
}

TEST_F(WebhookProvider, RefusesValuesThatLeadToAnotherPath) {
  answer(200, R"({"data":{"login":{"password":"s3cret"}}})");
  const std::string refused = "invalid: store \"login\": url: ";
  for (const auto* key : {".", ".."})
    EXPECT_EQ(fetched(fmt::format(R"({{"remote_ref":{{"key":"{}"}},"store_ref":"login"}})", key)),
              refused + "\".\" and \"..\" cannot be parts of its path");
  EXPECT_EQ(fetched(R"({"remote_ref":{"key":""},"store_ref":"login"})"),
            refused + "a value that is a part of its path is empty");
  EXPECT_TRUE(transport.asked.empty());
  EXPECT_EQ(fetched(R"({"remote_ref":{"key":"..."},"store_ref":"login"})"), "s3cret");
}

TEST_F(WebhookProvider, TakesTextNumbersAndBooleans) {
  struct Row {
    std::string_view body, expected;
  };
  for (const auto& [body, expected] : std::initializer_list<Row>{
           {R"({"data":{"login":{"password":""}}})", ""},
           {R"({"data":{"login":{"password":["first","second"]}}})", "first"},
           {R"({"data":{"login":{"password":12345678901}}})", "12345678901"},
           {R"({"data":{"login":{"password":1.5}}})", "1.5"},
           {R"({"data":{"login":{"password":false}}})", "false"},
           {R"({"data":{"login":{"password":{}}}})",
            "invalid: store \"login\": JMESPath query did not yield a string but a object"},
           {R"({"data":{"login":{"password":[]}}})",
            "invalid: store \"login\": JMESPath query did not yield a string but a array"},
           {R"({"data":{}})", "not_found: store \"login\": JMESPath query did not yield a string but a null"},
           {R"(oops, s3cret)", "invalid: store \"login\": the answer is not JSON"},
       }) {
    answer(200, std::string(body));
    EXPECT_EQ(fetched(kPassword), expected) << body;
  }
}

TEST_F(WebhookProvider, SaysWhatIsWrongWithAReference) {
  EXPECT_EQ(fetched("plain text"), "invalid: webhook provider no longer supports string external_secrets references");
  EXPECT_EQ(fetched(R"({"remote_ref":{},"store_ref":"other"})"),
            "invalid: unknown webhook secret store reference: other");
  EXPECT_EQ(fetched(R"({"remote_ref":{"env":"x"},"store_ref":"query"})"),
            "invalid: store \"query\": missing required remote_ref field for store \"query\": [id name path]");
  EXPECT_EQ(fetched(R"({"remote_ref":{"env":"x","id":1,"name":"n","path":" "},"store_ref":"query"})"),
            "invalid: store \"query\": rendered an empty json_path");
  EXPECT_EQ(fetched(R"({"remote_ref":{"env":"x","id":1,"name":"n","path":"a["},"store_ref":"query"})"),
            "invalid: store \"query\": json_path: byte 3: something is missing at the end");
  EXPECT_TRUE(transport.asked.empty());
}

TEST_F(WebhookProvider, TellsTheStatusAndNothingOfTheBody) {
  struct Row {
    int status;
    std::string_view expected;
    std::size_t tries;
  };
  for (const auto& [status, expected, tries] :
       std::initializer_list<Row>{{400, "invalid: store \"login\": webhook request failed with status 400", 1},
                                  {401, "denied: store \"login\": webhook request failed with status 401", 1},
                                  {404, "not_found: store \"login\": webhook request failed with status 404", 1},
                                  {429, "unavailable: store \"login\": webhook request failed with status 429", 2},
                                  {503, "unavailable: store \"login\": webhook request failed with status 503", 2}}) {
    transport.asked.clear();
    answer(status, "s3cret");
    EXPECT_EQ(fetched(kPassword), expected);
    EXPECT_EQ(transport.asked.size(), tries) << status;
  }
}

TEST_F(WebhookProvider, LeavesThePathOutOfErrors) {
  transport.answer = [](const HttpRequest& request) -> Result<HttpResponse> {
    return fail(Kind::unavailable, "GET " + request.url + ": connection refused");
  };
  EXPECT_EQ(fetched(R"({"remote_ref":{"path":"t0ken-in-path"},"store_ref":"raw"})"),
            "unavailable: store \"raw\": GET http://store.example/…: connection refused");
}

struct Refused {
  std::string_view yaml, fault;
};

TEST(WebhookStores, SaysWhatIsWrongWithThem) {
  FakeTransport transport;
  const FakeClock clock;
  for (
      const auto& [yaml, fault] : std::initializer_list<Refused>{
          {"other: 1", "no stores found in webhook store configuration"},
          {"stores: {}", "no stores found in webhook store configuration"},
          {"stores: [{url: http://a, json_path: b}]", "store name is required when using list format"},
          {"stores: {a: {url: http://a}}", "store \"a\": json_path is required"},
          {"stores: {a: {json_path: b}}", "store \"a\": url is required"},
          {"stores: {a: {url: 'http://a/{{ .remoteref.key }}', json_path: b}}",
           "store \"a\": url: line 1: there is no field remoteref in struct: templates know .remote_ref and, of .auth, "
           "username, password, token and api_key"},
          {"stores: {a: {url: http://a, json_path: b, headers: {X: '{{ .auth.tokn }}'}}}",
           "store \"a\": header X: line 1: there is no field tokn in struct: templates know .remote_ref and, of .auth, "
           "username, password, token and api_key"},
          {"stores: {a: {url: http://a, json_path: 'b['}}",
           "store \"a\": json_path: byte 3: something is missing at the end"},
          {"stores: {a: {url: 'http://a/{{ .x | sha256sum }}', json_path: b}}",
           "store \"a\": url: line 1: function sha256sum is not supported"},
          {"stores: {a: {version: v2, url: http://a, json_path: b}}",
           "store \"a\": unsupported version \"v2\": must be v1"},
          {"stores: {a: {method: PURGE, url: http://a, json_path: b}}", "store \"a\": unsupported method \"PURGE\""},
          {"stores: {a: {url: http://a, json_path: b, body: x}}", "store \"a\": body is not allowed with GET"},
          {"stores: [{name: a, url: http://a, json_path: b}, {name: a, url: http://a, json_path: b}]",
           "duplicate store \"a\""},
      }) {
    const auto made = make_webhook_provider(
        {.stores = Secret(std::string(yaml)), .username = {}, .password = {}, .token = {}, .api_key = {}},
        SecretHttp(transport, clock));
    ASSERT_FALSE(made) << yaml;
    EXPECT_EQ(made.error().message, "SECRET_PROVIDER_WEBHOOK_STORES: " + std::string(fault)) << yaml;
  }
}

}  // namespace
}  // namespace windlass
