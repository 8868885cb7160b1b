#include "webhook/signature.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace windlass {
namespace {

using Kind = SignatureVerdict::Kind;

const Secret kSecret("your-webhook-secret");
constexpr std::string_view kBody = "payload";

std::string hmac(const Secret& secret = kSecret) {
  const auto bytes = HmacSha256(secret).sign(kBody);
  return to_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

SignatureVerdict judge(std::vector<HttpHeader> headers, const Secret& previous = {}) {
  return SignatureCheck(kSecret, previous).judge({.headers = std::move(headers), .body = std::string(kBody)});
}

// webhook/S1 to S6, S9 to S13
TEST(SignatureCheck, KnowsSixSendersByTheirHeaders) {
  const auto hex = hmac();
  std::string upper = hex;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  const struct {
    std::string_view id;
    HttpHeader header;
    Kind kind;
    Sender sender;
  } kRows[] = {
      {"S1", {"X-Hub-Signature-256", "sha256=" + hex}, Kind::good, Sender::github},
      {"S1", {"X-Hub-Signature-256", hex}, Kind::good, Sender::github},
      {"S2", {"X-Gitea-Signature", hex}, Kind::good, Sender::gitea},
      {"S3", {"X-Gitlab-Token", kSecret.reveal()}, Kind::good, Sender::gitlab},
      {"S3", {"X-Gitlab-Token", kSecret.reveal() + "x"}, Kind::wrong, Sender::gitlab},
      {"S4", {"X-Gogs-Signature", hex}, Kind::good, Sender::gogs},
      {"S5", {"X-Forgejo-Signature", hex}, Kind::good, Sender::forgejo},
      {"S6", {"x-doco-oci-signature-256", "sha256=" + hex}, Kind::good, Sender::oci},
      {"S6", {"X-Doco-OCI-Signature-256", hex}, Kind::good, Sender::oci},
      {"S9", {"X-Doco-OCI-Signature-256", "sha256=" + upper}, Kind::good, Sender::oci},
      {"S10", {"X-Doco-OCI-Signature-256", "SHA256=" + hex}, Kind::wrong, Sender::oci},
      {"S11", {"X-Gitea-Signature", "sha256=" + hex}, Kind::wrong, Sender::gitea},
      {"S11", {"X-Gogs-Signature", "sha256=" + hex}, Kind::wrong, Sender::gogs},
      {"S11", {"X-Forgejo-Signature", "sha256=" + hex}, Kind::wrong, Sender::forgejo},
      {"S12", {"X-Hub-Signature-256", "sha256="}, Kind::wrong, Sender::github},
      {"T1", {"X-Doco-OCI-Signature-256", hex.substr(1)}, Kind::wrong, Sender::oci},
      {"T1", {"X-Doco-OCI-Signature-256", hex + "00"}, Kind::wrong, Sender::oci},
      {"T1", {"X-Doco-OCI-Signature-256", "sha512=" + hex}, Kind::wrong, Sender::oci},
      {"T1", {"X-Doco-OCI-Signature-256", std::string(64, 'z')}, Kind::wrong, Sender::oci},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(std::string(row.id) + " " + row.header.value);
    const auto verdict = judge({row.header});
    EXPECT_EQ(verdict.kind, row.kind);
    EXPECT_EQ(verdict.sender, row.sender);
  }
}

TEST(SignatureCheck, LetsTheFirstHeaderWithAValueDecide) {
  const auto hex = hmac();
  EXPECT_EQ(judge({}).kind, Kind::missing);
  EXPECT_EQ(judge({{"X-Hub-Signature-256", ""}}).kind, Kind::missing);
  // S13: empty is absent
  EXPECT_EQ(judge({{"X-Hub-Signature-256", ""}, {"X-Doco-OCI-Signature-256", hex}}).sender, Sender::oci);
  // S15: a failed check does not fall through, in whatever order they are sent
  EXPECT_EQ(judge({{"X-Doco-OCI-Signature-256", hex}, {"X-Hub-Signature-256", "bad"}}).kind, Kind::wrong);
  // S16
  EXPECT_EQ(judge({{"X-Gitea-Signature", hex}, {"X-Hub-Signature-256", "sha256=" + hex}}).sender, Sender::github);
  // of a repeated header the first counts
  EXPECT_EQ(judge({{"X-Gitea-Signature", "bad"}, {"X-Gitea-Signature", hex}}).kind, Kind::wrong);
}

// reliability/P21
TEST(SignatureCheck, TakesBothSecretsDuringARotation) {
  const Secret old("the-old-secret");
  EXPECT_EQ(judge({{"X-Gitea-Signature", hmac(old)}}, old).kind, Kind::good);
  EXPECT_EQ(judge({{"X-Gitea-Signature", hmac()}}, old).kind, Kind::good);
  EXPECT_EQ(judge({{"X-Gitlab-Token", "the-old-secret"}}, old).kind, Kind::good);
  EXPECT_EQ(judge({{"X-Gitea-Signature", hmac(old)}}).kind, Kind::wrong);
}

TEST(SignatureCheck, FindsNothingRightWithoutASecret) {
  SignatureCheck check({}, {});
  const auto bytes = HmacSha256(Secret("")).sign(kBody);
  const auto hex = to_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  EXPECT_EQ(check.judge({.headers = {{"X-Gitea-Signature", hex}}, .body = std::string(kBody)}).kind, Kind::wrong);
}

}  // namespace
}  // namespace windlass
