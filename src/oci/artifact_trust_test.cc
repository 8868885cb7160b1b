#include "oci/artifact_trust.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "oci/signature_fixture.h"
#include "sigstore/instance_fixture.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

// Stands still, and sees how many checks go on at once: each of them reads the time.
struct CheckClock final : Clock {
  explicit CheckClock(unsigned expected) : expected_(expected) {}
  WallTime now() const override {
    const auto running = ++running_;
    for (auto seen = most.load(); running > seen && !most.compare_exchange_weak(seen, running);) continue;
    for (int i = 0; i < 200 && most < expected_; ++i) std::this_thread::sleep_for(10ms);
    std::this_thread::sleep_for(20ms);  // for one more than expected to come
    --running_;
    return FakeClock().now();
  }
  SteadyTime steady_now() const override { return FakeClock().steady_now(); }
  mutable std::atomic<unsigned> most = 0;

 private:
  const unsigned expected_;
  mutable std::atomic<unsigned> running_ = 0;
};

class ArtifactTrustTest : public testing::Test {
 protected:
  ArtifactTrust& trust(unsigned workers = 1) {
    trust_ = std::make_unique<ArtifactTrust>(ArtifactTrust::Options{.workers = workers, .trusted_root_file = {}},
                                             registry, clock, Log({.level = LogLevel::critical}));
    return *trust_;
  }
  std::string verdict(const TrustPolicy& policy) { return verdict(policy, artifact); }
  std::string verdict(const TrustPolicy& policy, const Digest& digest) {
    if (!trust_) trust();
    const auto checked = trust_->check(reference, digest, policy, Deadline::in(5s));
    return checked ? "trusted" : fmt::format("{}: {}", to_string(checked.error().kind), checked.error().message);
  }
  static TrustPolicy policy_of(std::vector<PublicKey> keys) {
    return {.enabled = true, .public_keys = std::move(keys), .ignore_tlog = true};
  }
  std::string refusal(const std::string& reasons) {
    return "denied: OCI artifact signature verification failed: " + reasons;
  }

  const TestKey key = TestKey::ec("P-256"), other = TestKey::ec("P-256");
  const std::string rule = "key " + key.public_key().fingerprint();
  const TrustPolicy policy = policy_of({key.public_key()});
  const Digest artifact = Digest::of_sha256_hex(std::string(64, 'a'));
  const Digest replayed = Digest::of_sha256_hex(std::string(64, 'b'));
  const Reference reference = *Reference::parse("r.example/app:1");
  FakeClock clock;
  SignatureRegistry registry;
  std::unique_ptr<ArtifactTrust> trust_;
};

TEST_F(ArtifactTrustTest, AsksNobodyWhenThePolicyIsOff) {
  EXPECT_EQ(verdict({.enabled = false, .public_keys = {key.public_key()}}), "trusted");
  EXPECT_TRUE(registry.asked.empty());
}

TEST_F(ArtifactTrustTest, RefusesWhatIsUnsigned) {
  EXPECT_EQ(verdict(policy), refusal(rule + ": no signature was found"));
}

TEST_F(ArtifactTrustTest, TakesASignatureFromEachPlace) {  // oci 12: C, R, B
  registry.push_classic(artifact, {signature_by(key, artifact)});
  EXPECT_EQ(verdict(policy), "trusted");
  registry.tags.clear();
  trust();
  registry.push_referrer(kCosignSignatures, {signature_by(key, artifact)});
  EXPECT_EQ(verdict(policy), "trusted");
  registry.referring.clear();
  trust();
  registry.push_referrer(kBundleV3, {bundle_by(key, artifact)});
  EXPECT_EQ(verdict(policy), "trusted");
}

TEST_F(ArtifactTrustTest, TakesAnyOneRule) {
  registry.push_classic(artifact, {signature_by(key, artifact)});
  EXPECT_EQ(verdict(policy_of({other.public_key(), key.public_key()})), "trusted");
}

TEST_F(ArtifactTrustTest, FindsTheGoodOneAmongBadOnes) {  // oci 12: a candidate that fails never hides another
  auto broken = signature_by(key, artifact);
  broken.annotations.clear();
  registry.push_classic(artifact, {signature_by(key, artifact), broken, signature_by(other, artifact)});
  const auto junk = registry.push_referrer(kBundleV3, {{.bytes = "{}", .media_type = kBundleV3}});
  registry.push_referrer(kBundleV3, {bundle_by(key, replayed)});
  registry.faults.emplace(junk.str(), Error{Kind::unavailable, "503"});
  for (const unsigned workers : {1u, 4u}) {
    trust(workers);
    EXPECT_EQ(verdict(policy), "trusted") << workers;
  }
}

TEST_F(ArtifactTrustTest, FindsTheGoodOneInAFlood) {
  registry.push_referrer(kBundleV3, {bundle_by(key, artifact)});
  const std::string date = "9999-01-01T00:00:00Z";
  std::vector<SignatureLayer> junk;
  for (int i = 0; i < 1000; ++i) junk.push_back({.bytes = fmt::format("junk {}", i)});
  registry.push_referrer(kCosignSignatures, junk, date);
  for (int i = 0; i < 150; ++i)
    registry.push_referrer(kBundleV3, {{.bytes = fmt::format("{{{}}}", i), .media_type = kBundleV3}}, date);
  EXPECT_EQ(verdict(policy), "trusted");
}

TEST_F(ArtifactTrustTest, LosesOnlyTheCheckThatThrows) {  // out of memory, say
  const auto lost = bundle_by(other, artifact);
  registry.push_classic(artifact, {signature_by(key, artifact)});
  registry.push_referrer(kBundleV3, {lost});
  registry.blobs.erase(digest_of_text(lost.bytes).str());  // map::at throws
  for (const unsigned workers : {1u, 4u}) {
    trust(workers);
    EXPECT_EQ(verdict(policy), "trusted") << workers;
    trust(workers);
    const auto untrusted = verdict(policy_of({other.public_key()}));
    EXPECT_TRUE(untrusted.starts_with("unavailable: ")) << untrusted;
    EXPECT_TRUE(untrusted.ends_with("; ended by an exception: map::at")) << untrusted;
  }
}

// oci 11.7: whatever the number of jobs
TEST_F(ArtifactTrustTest, ChecksNoMoreAtOnceThanItHasWorkers) {
  std::vector<SignatureLayer> layers;
  for (int i = 0; i < 4; ++i) layers.push_back(signature_by(other, artifact));  // none that would end the search
  registry.push_classic(artifact, layers);
  for (const unsigned workers : {1u, 3u}) {
    const CheckClock checks(workers);
    ArtifactTrust pool({.workers = workers, .trusted_root_file = {}}, registry, checks,
                       Log({.level = LogLevel::critical}));
    {
      std::vector<std::jthread> jobs;
      for (int i = 0; i < 2; ++i)
        jobs.emplace_back([&] { EXPECT_FALSE(pool.check(reference, artifact, policy, Deadline::in(30s))); });
    }
    EXPECT_EQ(checks.most, workers);
  }
}

TEST_F(ArtifactTrustTest, RefusesAReplayedSignature) {  // K4, oci 16 #2, reliability/T12
  registry.push_classic(artifact, {signature_by(key, replayed)});
  const auto classic = verdict(policy);
  EXPECT_TRUE(classic.starts_with(refusal(rule + ": signed digest: "))) << classic;
  EXPECT_NE(classic.find(replayed.str()), classic.npos) << "the digest that was signed is named: " << classic;
  registry.tags.clear();
  registry.push_referrer(kBundleV3, {bundle_by(key, replayed)});
  const auto bundle = verdict(policy);
  EXPECT_TRUE(bundle.starts_with(refusal(rule + ": signed digest: "))) << bundle;
}

TEST_F(ArtifactTrustTest, GivesOneReasonForEachRule) {
  registry.push_classic(artifact, {signature_by(key, artifact)});
  const auto second = TestKey::rsa(2048);
  const auto text = verdict(policy_of({other.public_key(), second.public_key()}));
  EXPECT_TRUE(text.starts_with(refusal("key " + other.public_key().fingerprint() + ": signature: "))) << text;
  EXPECT_NE(text.find("; key " + second.public_key().fingerprint() + ": signature: "), text.npos) << text;
}

TEST_F(ArtifactTrustTest, SaysHowFarTheBestSignatureCame) {
  registry.push_classic(artifact, {signature_by(other, artifact), signature_by(other, replayed)});
  const auto text = verdict(policy);
  EXPECT_TRUE(text.starts_with(refusal(rule + ": signature: "))) << text;
  EXPECT_TRUE(text.ends_with(" (of 2 signatures the one that came furthest)")) << text;
}

TEST_F(ArtifactTrustTest, ToldNothingIsUnavailableNotUnsigned) {  // reliability/P10
  registry.faults.emplace("referrers", Error{Kind::unavailable, "GET …: 503"});
  EXPECT_EQ(verdict(policy), "unavailable: OCI artifact signature verification failed: " + rule +
                                 ": no signature was found; looking for signatures at referrers: GET …: 503");
}

TEST_F(ArtifactTrustTest, ReadsNoSignatureOverItsSize) {
  auto layer = signature_by(key, artifact);
  layer.bytes.resize((1 << 20) + 1, ' ');
  registry.push_classic(artifact, {layer});
  const auto text = verdict(policy);
  EXPECT_TRUE(text.starts_with(refusal(rule + ": no signature was found; reading the signature at tag sha256-")))
      << text;
  EXPECT_TRUE(text.ends_with(": blob is too large")) << text;
}

TEST_F(ArtifactTrustTest, NeedsARule) {
  EXPECT_EQ(verdict({.enabled = true}),
            "invalid: OCI artifact signature verification failed: OCI trust policy has no trust rules");
}

TEST_F(ArtifactTrustTest, NeedsTheRootThatThePolicyNeeds) {  // reliability/P10: a missing root never means yes
  registry.push_classic(artifact, {signature_by(key, artifact)});
  auto with_log = policy;
  with_log.ignore_tlog = false;
  EXPECT_EQ(verdict(with_log),
            "invalid: OCI artifact signature verification failed: no trusted root: "
            "OCI_TRUSTED_ROOT_FILE is not set");
}

TEST_F(ArtifactTrustTest, RemembersAPassForADay) {  // oci 11.3
  registry.push_classic(artifact, {signature_by(key, artifact)});
  EXPECT_EQ(verdict(policy), "trusted");
  registry.tags.clear();
  clock.advance(23h);
  EXPECT_EQ(verdict(policy), "trusted");
  EXPECT_NE(verdict(policy_of({other.public_key()})), "trusted") << "another policy";
  EXPECT_NE(verdict(policy, replayed), "trusted") << "another artifact";
  clock.advance(1h);
  EXPECT_NE(verdict(policy), "trusted");
}

TEST_F(ArtifactTrustTest, ForgetsAFailureAtOnce) {
  EXPECT_NE(verdict(policy), "trusted");
  registry.push_classic(artifact, {signature_by(key, artifact)});
  EXPECT_EQ(verdict(policy), "trusted");
}

TEST_F(ArtifactTrustTest, StampsAPolicyByWhatItTrusts) {
  auto& stamps = trust();
  EXPECT_EQ(stamps.stamp({.enabled = false, .public_keys = {key.public_key()}}), "");
  EXPECT_EQ(stamps.stamp(policy), stamps.stamp(policy_of({key.public_key()})));
  EXPECT_NE(stamps.stamp(policy), stamps.stamp(policy_of({other.public_key()})));
  auto with_log = policy;
  with_log.ignore_tlog = false;
  EXPECT_NE(stamps.stamp(policy), stamps.stamp(with_log));
}

TEST_F(ArtifactTrustTest, StampsAPolicyByTheRootThatItNeeds) {  // oci 11.3
  const auto file = std::filesystem::temp_directory_path() / ("windlass-" + new_uuid_v7());
  auto root = test_instance().trusted_root_json();
  const auto write_root = [&] { std::ofstream(file) << json::serialize(root); };
  write_root();
  ArtifactTrust stamps({.workers = 1, .trusted_root_file = file}, registry, clock, Log({.level = LogLevel::critical}));
  auto with_log = policy;
  with_log.ignore_tlog = false;
  const auto before = stamps.stamp(with_log), without_log = stamps.stamp(policy);
  root.as_object()["newer"] = true;
  write_root();
  EXPECT_NE(stamps.stamp(with_log), before);
  EXPECT_EQ(stamps.stamp(policy), without_log);
  std::filesystem::remove(file);
}

TEST_F(ArtifactTrustTest, ExaminesWithoutRemembering) {
  registry.push_classic(artifact, {signature_by(other, artifact)});
  const auto report = trust().examine(reference, artifact, policy, Deadline::in(5s));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->trusted_by(), nullptr);
  ASSERT_EQ(report->signatures.size(), 1u);
  EXPECT_FALSE(report->signatures[0].verdict.steps.empty());
}

}  // namespace
}  // namespace windlass
