#include "secrets/bitwarden.h"

#include <gtest/gtest.h>

#include <set>

#include "secrets/bitwarden_cipher.h"
#include "secrets/fetched_texts.h"
#include "sys/crypto.h"
#include "sys/fake_http.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

// Made with the openssl command and a key derivation of their own: the account's key encrypts the organisation's, which
// is the bytes 64 to 127 and encrypts the values.
constexpr std::string_view kToken = "0.client.c-secret:AAECAwQFBgcICQoLDA0ODw==";
constexpr std::string_view kPayload =
    "2.yMnKy8zNzs/Q0dLT1NXW1w==|hukLfBgQqJhtT7NFkoYccFfkMYHv8ZTSbpHv5nHHnx7f+/1HxzVPvDdoTehuev0NI6ZzG76k/"
    "Ysz9ES7NjEq824rEy+h7zfqYMryz8xI1Y4mTrsC8hmFk2IJsrCdLcJql2RDAcVOv+RKW2okwf61xQ==|"
    "BGYeZl1aqGRCqppizWUd2jwKzCG3Dur0wS/JCUH77PQ=";
constexpr std::string_view kValue =
    "2.yMnKy8zNzs/Q0dLT1NXW1w==|U2ajrRx8yp013jOVAhMNDQ==|44OK74htq3iKUX26aGxQvgPzuMBIJ0unXowOHyZA4Q0=";
constexpr std::string_view kEmpty =
    "2.yMnKy8zNzs/Q0dLT1NXW1w==|urFeACG6SkkITHVS4DHoew==|D+xWZDhple7Wme6NtZ2FrbL8fNIZyqlbJRh+SD5G4XA=";

BitwardenKey organisation_key() {
  std::string bytes;
  for (int i = 64; i < 128; ++i) bytes += static_cast<char>(i);
  return *BitwardenKey::from_bytes(bytes);
}

TEST(BitwardenCipher, ReadsTokens) {
  const auto token = parse_bitwarden_token(kToken);
  ASSERT_TRUE(token);
  EXPECT_EQ(token->client_id, "client");
  EXPECT_EQ(token->client_secret.reveal(), "c-secret");
  EXPECT_EQ(token->seed.reveal().size(), 16u);
  for (const auto* odd : {"", "0.a.b", "1.a.b:AAECAwQFBgcICQoLDA0ODw==", "0.a:AAECAwQFBgcICQoLDA0ODw==",
                          "0..b:AAECAwQFBgcICQoLDA0ODw==", "0.a.b:AAEC", "0.a.b:?"})
    EXPECT_FALSE(parse_bitwarden_token(odd)) << odd;
}

TEST(BitwardenCipher, DecryptsWhatItsKeyMade) {
  EXPECT_EQ(organisation_key().decrypt(kValue)->reveal(), "s3cret value");
  EXPECT_EQ(organisation_key().decrypt(kEmpty)->reveal(), "");
  const auto account = BitwardenKey::of_account(parse_bitwarden_token(kToken)->seed);
  EXPECT_TRUE(account.decrypt(kPayload)->reveal().starts_with("{\"encryptionKey\": "));
}

// The vendor's own test of its key derivation has this seed; encrypted with the key that it expects.
TEST(BitwardenCipher, DerivesTheKeyOfAnAccountAsTheVendorDoes) {
  const auto key = BitwardenKey::of_account(Secret(*base64_decode("X8vbvA0bduihIDe/qrzIQQ==")));
  EXPECT_EQ(key.decrypt("2.yMnKy8zNzs/Q0dLT1NXW1w==|H2hAFeODuRDiupdwtznf3A==|"
                        "Vw81jnR6HfQS1C+kgoAA0W1z3K2Glr8Rb6i/lNmXAIs=")
                ->reveal(),
            "vendor");
}

TEST(BitwardenCipher, RefusesEverythingElse) {
  std::string changed(kValue);
  changed[30] = changed[30] == 'A' ? 'B' : 'A';
  const std::pair<std::string, std::string> rows[] = {
      {changed, "the cipher text was made with another key"},
      {std::string(kPayload), "the cipher text was made with another key"},
      {"0." + std::string(kValue.substr(2)), "the cipher text is of another type than 2"},
      {"2.a|b", "the cipher text has not three parts"},
      {"2.AAAA|AAAA|AAAA", "the cipher text has parts of an odd form"},
      {"", "the cipher text is of another type than 2"},
  };
  for (const auto& [text, fault] : rows) {
    const auto plain = organisation_key().decrypt(text);
    ASSERT_FALSE(plain) << text;
    EXPECT_EQ(plain.error().message, fault);
  }
  EXPECT_FALSE(BitwardenKey::from_bytes("short"));
}

constexpr auto kIdA = "aaaaaaaa-0000-4000-8000-000000000001", kIdB = "bbbbbbbb-0000-4000-8000-000000000002";

class Bitwarden : public ::testing::Test {
 protected:
  Bitwarden() {
    provider = *make_bitwarden({.api_url = "https://bw.example/api",
                                .identity_url = "https://bw.example/identity",
                                .access_token = Secret(std::string(kToken))},
                               SecretHttp(transport, clock, {.tries = 1}), clock);
    transport.answer = [this](const HttpRequest& request) { return answer(request); };
  }
  HttpResponse answer(const HttpRequest& request) {
    if (request.url.ends_with("/connect/token"))
      return {.status = login_status,
              .body = R"({"access_token":"b-token","expires_in":3600,"encrypted_payload":")" + payload + R"("})"};
    json::array data;
    const auto asked = *parse_json(request.body);
    for (const auto& id : asked.at("ids").as_array()) {
      const std::string text(id.as_string());
      if (!values.contains(text)) return {.status = 404, .body = "s3cret value"};
      data.push_back(json::object{{"id", text}, {"key", kEmpty}, {"value", values.at(text)}});
    }
    return {.status = 200, .body = json::serialize(json::object{{"data", data}})};
  }
  std::vector<std::string> fetched(const std::vector<std::string>& references) {
    return fetched_texts(provider->fetch(references, Deadline::in(10s)));
  }

  std::map<std::string, std::string> values = {{kIdA, std::string(kValue)}, {kIdB, std::string(kEmpty)}};
  std::string payload{kPayload};
  int login_status = 200;
  FakeTransport transport;
  FakeClock clock;
  std::unique_ptr<SecretProvider> provider;
};

TEST_F(Bitwarden, LogsInAndReadsAllAtOnce) {
  EXPECT_EQ(fetched({kIdA, kIdB}), (std::vector<std::string>{"s3cret value", ""}));
  ASSERT_EQ(transport.asked.size(), 2u);
  EXPECT_EQ(transport.asked[0].method, "POST");
  EXPECT_EQ(transport.asked[0].url, "https://bw.example/identity/connect/token");
  EXPECT_EQ(transport.asked[0].body,
            "scope=api.secrets&client_id=client&client_secret=c-secret&grant_type=client_credentials");
  EXPECT_EQ(transport.asked[1].method, "POST");
  EXPECT_EQ(transport.asked[1].url, "https://bw.example/api/secrets/get-by-ids");
  EXPECT_EQ(transport.asked[1].body, std::string(R"({"ids":[")") + kIdA + R"(",")" + kIdB + R"("]})");
}

TEST_F(Bitwarden, ComparesIdsWhateverTheirCase) {
  EXPECT_EQ(fetched({"AAAAAAAA-0000-4000-8000-000000000001"}), std::vector<std::string>{"s3cret value"});
}

TEST_F(Bitwarden, TellsWhichIdIsUnknown) {
  const std::string unknown = "cccccccc-0000-4000-8000-000000000003";
  EXPECT_EQ(
      fetched({kIdA, unknown, "db"}),
      (std::vector<std::string>{"s3cret value", "not_found: POST https://bw.example/api/secrets/get-by-ids: status 404",
                                "invalid: invalid secret reference \"db\": expected the UUID of a secret"}));
}

TEST_F(Bitwarden, SaysWhyItCannotLogIn) {
  login_status = 400;
  EXPECT_EQ(fetched({kIdA}),
            std::vector<std::string>{"invalid: login: POST https://bw.example/identity/connect/token: status 400"});
  login_status = 200;
  payload = kValue;
  EXPECT_EQ(fetched({kIdA}),
            std::vector<std::string>{"invalid: login: encrypted_payload: the cipher text was made with another key"});
}

}  // namespace
}  // namespace windlass
