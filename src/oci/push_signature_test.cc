#include "oci/push_signature.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "oci/fake_registry.h"
#include "oci/registry_access.h"
#include "oci/signature_candidates.h"
#include "sigstore/key_fixture.h"
#include "sigstore/simple_signing.h"
#include "sys/json.h"

namespace windlass {
namespace {

constexpr const char* kManifests = "https://r.example/v2/app/manifests/";

// A registry that keeps what it is given.
class PushSignature : public testing::Test {
 protected:
  PushSignature() {
    transport.answer = [this](const HttpRequest& request) -> Result<HttpResponse> {
      const auto at = kept.find(request.url);
      if (request.method == "POST") return HttpResponse{.status = 202, .headers = {{"Location", "/upload"}}};
      if (request.method == "PUT") {
        kept[request.url] = request.upload.read ? read_all(request.upload) : request.body;
        return HttpResponse{.status = 201};
      }
      return at == kept.end() ? HttpResponse{.status = 404} : HttpResponse{.status = 200, .body = at->second};
    };
  }
  static std::string read_all(const UploadBody& body) {
    std::string bytes(body.size_bytes, '\0');
    EXPECT_EQ(*body.read(0, bytes.data(), bytes.size()), bytes.size());
    return bytes;
  }
  static SigningKey key_of(const TestKey& key) { return *SigningKey::parse(key.private_pem(), Secret()); }
  std::string sign(const TestKey& key) {
    const auto done = push_signature(pusher, reference, digest, key_of(key), Deadline::in(5s));
    return done ? "signed" : done.error().message;
  }
  // Who of `keys` is believed, by the service's own check.
  int trusted(const std::vector<const TestKey*>& keys) {
    const auto manifest = *parse_json(kept.at(kTagUrl));
    int count = 0;
    for (const auto* key : keys) {
      for (const auto& layer : manifest.at("layers").as_array()) {
        const auto& payload = kept.at("https://r.example/upload?digest=" + text(layer.at("digest")));
        const SimpleSignature signature{
            .payload = payload,
            .annotations = {{std::string(kSignatureAnnotation),
                             text(layer.at("annotations").at(std::string(kSignatureAnnotation)))}},
            .media_type = text(layer.at("mediaType"))};
        const TrustPolicy policy{.enabled = true, .public_keys = {key->public_key()}, .ignore_tlog = true};
        if (verify_simple_signature(signature, digest, policy, nullptr, SystemClock().now()).trusted) {
          ++count;
          break;
        }
      }
    }
    return count;
  }
  static std::string text(const json::value& value) { return std::string(value.as_string()); }
  std::size_t signatures() const { return parse_json(kept.at(kTagUrl))->at("layers").as_array().size(); }

  const Digest digest = digest_of("artifact");
  const std::string kTagUrl = kManifests + signature_tag(digest);
  const Reference reference = *Reference::parse("r.example/app:1");
  FakeClock clock;
  FakeTransport transport;
  FakeCredentials credentials;
  std::map<std::string, std::string> kept;
  RegistryOptions options{.backoff_base = 1ms, .backoff_max = 2ms};
  RegistryAccess access{options, transport, credentials, clock, Log(Log::Options{.level = LogLevel::critical})};
  Pusher pusher{access, options};
};

TEST_F(PushSignature, IsBelievedByTheTrustCheck) {
  const TestKey keys[] = {TestKey::ec("P-256"), TestKey::rsa(2048), TestKey::ed25519()};
  const auto other = TestKey::ec("P-256");
  for (const auto& key : keys) {
    kept.clear();
    EXPECT_EQ(sign(key), "signed");
    EXPECT_EQ(trusted({&key}), 1);
    EXPECT_EQ(trusted({&other}), 0);
  }
}

TEST_F(PushSignature, LeavesThoseOfOthersWhereTheyAre) {
  const auto ours = TestKey::ec("P-256"), theirs = TestKey::ec("P-384");
  EXPECT_EQ(sign(theirs), "signed");
  EXPECT_EQ(sign(ours), "signed");
  EXPECT_EQ(trusted({&ours, &theirs}), 2);
  EXPECT_EQ(signatures(), 2u);
}

TEST_F(PushSignature, IsThereOnce) {
  const auto key = TestKey::ec("P-256");
  EXPECT_EQ(sign(key), "signed");
  const auto before = kept;
  EXPECT_EQ(sign(key), "signed");
  EXPECT_EQ(kept, before);
}

TEST_F(PushSignature, StandsAtTheTagThatTheDigestGives) {
  EXPECT_EQ(signature_tag(Digest::of_sha256_hex(std::string(64, 'a'))), "sha256-" + std::string(64, 'a') + ".sig");
}

// What would be merged with it must say the same to everybody: the next reader may take the other `layers`.
TEST_F(PushSignature, ReplacesNothingThatItCannotRead) {
  const struct {
    const char* present;
    const char* why;
  } cases[] = {
      {"[]", "is no manifest of signatures"},
      {R"({"layers":{}})", "is no manifest of signatures"},
      {"{", "invalid JSON at byte 2: incomplete JSON"},
      {R"({"layers":[],"layers":[]})", "key 'layers' stands twice in one object"},
  };
  for (const auto& [present, why] : cases) {
    kept[kTagUrl] = present;
    const auto before = kept;
    EXPECT_EQ(sign(TestKey::ec("P-256")), "r.example/app:" + signature_tag(digest) + ": " + why);
    EXPECT_EQ(kept, before);
  }
}

}  // namespace
}  // namespace windlass
