#include "secrets/onepassword_connect.h"

#include <gtest/gtest.h>

#include "secrets/fetched_texts.h"
#include "secrets/onepassword_reference.h"
#include "sys/fake_http.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kVault = "aaaaaaaaaaaaaaaaaaaaaaaaaa", kItem = "bbbbbbbbbbbbbbbbbbbbbbbbbb";

class OnePasswordConnect : public ::testing::Test {
 protected:
  OnePasswordConnect() {
    OnePasswordSettings settings;
    settings.connect_host = "http://connect:8080";
    settings.connect_token = Secret("c-token");
    provider = make_onepassword_connect(settings, SecretHttp(transport, clock, {.tries = 1}));
    const std::string vaults = "/v1/vaults", items = vaults + "/" + std::string(kVault) + "/items";
    pages[vaults + "?filter=title%20eq%20%22My%20Vault%22"] = R"([{"id":")" + std::string(kVault) + R"("}])";
    pages[items + "?filter=title%20eq%20%22shop%20%5C%22db%5C%22%22"] = R"([{"id":")" + std::string(kItem) + R"("}])";
    pages[items + "?filter=title%20eq%20%22twice%22"] = R"([{"id":"a"},{"id":"b"}])";
    pages[items + "/" + std::string(kItem)] = R"({
      "sections":[{"id":"s1","label":"admin"},{"id":"s2","label":"user"}],
      "fields":[
        {"id":"username","label":"user name","value":"app"},
        {"id":"f1","label":"password","value":"user-secret","section":{"id":"s2"}},
        {"id":"f2","label":"password","value":"admin-secret","section":{"id":"s1"}},
        {"id":"f3","label":"empty","section":{"id":"s1"}},
        {"id":"f4","label":"one-time password","type":"OTP","value":"otpauth://x","totp":"123456"}]})";
    transport.answer = [this](const HttpRequest& request) {
      const auto found = pages.find(request.url.substr(std::string_view("http://connect:8080").size()));
      return found == pages.end() ? HttpResponse{.status = 200, .body = "[]"}
                                  : HttpResponse{.status = 200, .body = found->second};
    };
  }
  std::vector<std::string> fetched(const std::vector<std::string>& references) {
    return fetched_texts(provider->fetch(references, Deadline::in(10s)));
  }
  std::string fetched(const std::string& reference) { return fetched(std::vector{reference}).at(0); }

  std::map<std::string, std::string> pages;
  FakeTransport transport;
  FakeClock clock;
  std::unique_ptr<SecretProvider> provider;
};

const std::string kShop = "op://My Vault/shop \"db\"/";

TEST_F(OnePasswordConnect, FindsVaultItemAndField) {
  EXPECT_EQ(fetched(kShop + "user name"), "app");
  ASSERT_EQ(transport.asked.size(), 3u);
  for (const auto& request : transport.asked) {
    EXPECT_EQ(request.method, "GET");
    ASSERT_GE(request.headers.size(), 2u);
    EXPECT_EQ(request.headers[0].name + ": " + request.headers[0].value, "Authorization: Bearer c-token");
    EXPECT_EQ(request.headers[1].name + ": " + request.headers[1].value, "Content-Type: application/json");
  }
}

TEST_F(OnePasswordConnect, ReadsAnItemOnceForAllItsFields) {
  EXPECT_EQ(
      fetched({kShop + "admin/password", kShop + "user/password", kShop + "s1/password", kShop + "password",
               kShop + "username", kShop + "empty", kShop + "one-time%20password?attribute=otp"}),
      (std::vector<std::string>{"admin-secret", "user-secret", "admin-secret", "user-secret", "app", "", "123456"}));
  EXPECT_EQ(transport.asked.size(), 3u);
}

TEST_F(OnePasswordConnect, TakesIdsAsTheyAre) {
  EXPECT_EQ(fetched("op://" + std::string(kVault) + "/" + std::string(kItem) + "/username"), "app");
  EXPECT_EQ(transport.asked.size(), 1u);
}

TEST_F(OnePasswordConnect, KnowsOneTimePasswords) {
  EXPECT_TRUE(provider->is_one_time("op://v/i/f?attribute=otp"));
  EXPECT_FALSE(provider->is_one_time("op://v/i/f"));
}

TEST_F(OnePasswordConnect, SaysWhyThereIsNoValue) {
  struct Row {
    std::string reference, expected;
  };
  const std::string form = "\": expected op://vault/item/[section/]field[?attribute=otp]";
  for (const auto& [reference, expected] : std::initializer_list<Row>{
           {kShop + "nothing", "not_found: secret field not found for reference: op://My Vault/shop \"db\"/nothing"},
           {kShop + "other/password",
            "not_found: secret field not found for reference: op://My Vault/shop \"db\"/other/password"},
           {kShop + "username?attribute=otp",
            "not_found: secret field not found for reference: op://My Vault/shop \"db\"/username?attribute=otp"},
           {"op://Other/x/y", "not_found: 0 vaults with the title Other, expected one"},
           {"op://My Vault/Other/y", "not_found: 0 items with the title Other, expected one"},
           {"op://My Vault/twice/y", "invalid: 2 items with the title twice, expected one"},
           {"op://a/b", "invalid: invalid secret reference \"op://a/b" + form},
           {"op://a/b/c/d/e", "invalid: invalid secret reference \"op://a/b/c/d/e" + form},
           {"op://a//c", "invalid: invalid secret reference \"op://a//c" + form},
           {"a/b/c", "invalid: invalid secret reference \"a/b/c" + form},
           {"op://a/b/c?attribute=type",
            "invalid: invalid secret reference \"op://a/b/c?attribute=type\": unsupported secret reference attribute"},
       })
    EXPECT_EQ(fetched(reference), expected);
  transport.answer = [](const HttpRequest&) { return HttpResponse{.status = 401, .body = "admin-secret"}; };
  EXPECT_EQ(fetched("op://a/b/c"), "denied: GET http://connect:8080/v1/vaults: status 401");
}

}  // namespace
}  // namespace windlass
