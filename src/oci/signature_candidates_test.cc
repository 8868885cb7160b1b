#include "oci/signature_candidates.h"

#include <gtest/gtest.h>

#include "oci/signature_fixture.h"

namespace windlass {
namespace {

using Lines = std::vector<std::string>;

class SignatureCandidatesTest : public testing::Test {
 protected:
  SignatureCandidates collect() {
    return collect_signatures(registry, *Reference::parse("r.example/app:1"), artifact,
                              Deadline::in(std::chrono::seconds(5)));
  }
  static SignatureLayer layer(const std::string& bytes) { return {.bytes = bytes}; }
  static SignatureLayer bundle(const std::string& bytes) { return {.bytes = bytes, .media_type = kBundleV3}; }
  // What lies in the blobs, in the order of the candidates.
  Lines contents(const SignatureCandidates& found) {
    Lines list;
    for (const auto& candidate : found.list)
      list.push_back((candidate.form == SignatureCandidate::Form::bundle ? "bundle " : "simple ") +
                     registry.blobs.at(candidate.blob.digest.str()));
    return list;
  }

  SignatureRegistry registry;
  const Digest artifact = Digest::of_sha256_hex(std::string(64, 'a'));
  const std::string tag = "sha256-" + std::string(64, 'a') + ".sig";
};

TEST_F(SignatureCandidatesTest, AreNoneWhereNothingWasPushed) {  // reliability/F43: a 404 means unsigned
  const auto found = collect();
  EXPECT_EQ(contents(found), Lines{});
  EXPECT_TRUE(found.unread.empty());
  EXPECT_EQ(registry.asked, (Lines{tag, "referrers"}));
}

TEST_F(SignatureCandidatesTest, ComeFromAllPlacesInTurnNewestFirst) {  // oci 12
  registry.push_classic(artifact, {layer("classic 1"), layer("classic 2")});
  registry.push_referrer(kCosignSignatures, {layer("referrer")});
  registry.push_referrer(kBundleV3, {bundle("bundle 1")});
  registry.push_referrer(kBundleV3, {bundle("bundle 2")});
  EXPECT_EQ(contents(collect()),
            (Lines{"bundle bundle 2", "simple referrer", "simple classic 2", "bundle bundle 1", "simple classic 1"}));
}

TEST_F(SignatureCandidatesTest, AreSortedByTheirDatesWhereTheyHaveOne) {
  registry.push_referrer(kBundleV3, {bundle("middle")}, "2026-02-01T00:00:00Z");
  registry.push_referrer(kBundleV3, {bundle("newest")}, "2026-03-01T00:00:00Z");
  registry.push_referrer(kBundleV3, {bundle("oldest")}, "2026-01-01T00:00:00Z");
  EXPECT_EQ(contents(collect()), (Lines{"bundle newest", "bundle middle", "bundle oldest"}));
}

TEST_F(SignatureCandidatesTest, TakeEverySignatureOfOnePayload) {  // equal bytes, two signers
  auto first = layer("payload"), second = layer("payload");
  first.annotations["signature"] = "one";
  second.annotations["signature"] = "two";
  registry.push_classic(artifact, {first, second, first});
  EXPECT_EQ(contents(collect()).size(), 2u);
}

TEST_F(SignatureCandidatesTest, CountOnceWhatIsFoundTwice) {
  registry.push_classic(artifact, {layer("same")});
  registry.push_referrer(kCosignSignatures, {layer("same")});
  EXPECT_EQ(contents(collect()), Lines{"simple same"});
}

TEST_F(SignatureCandidatesTest, AreNotOtherThingsThatRefer) {
  registry.push_referrer("application/spdx+json", {layer("an SBOM")});
  registry.push_referrer(kBundleV3, {bundle("one"), bundle("two")});  // a bundle manifest has exactly one layer
  registry.push_referrer(kBundleV3, {layer("of the wrong type")});
  const auto found = collect();
  EXPECT_EQ(contents(found), Lines{});
  EXPECT_TRUE(found.unread.empty());
}

TEST_F(SignatureCandidatesTest, AreFoundWhereTheListDoesNotTellTheType) {  // index at a tag, written by older clients
  registry.push_referrer(kBundleV3, {bundle("a")}, "", "");
  registry.push_referrer(kCosignSignatures, {layer("b")}, "", "application/vnd.oci.empty.v1+json");
  EXPECT_EQ(contents(collect()), (Lines{"bundle a", "simple b"}));
}

TEST_F(SignatureCandidatesTest, AreNotHiddenByAPlaceThatCannotBeRead) {
  registry.push_classic(artifact, {layer("classic")});
  const auto broken = registry.push_referrer(kBundleV3, {bundle("x")});
  registry.push_referrer(kBundleV3, {bundle("y")});
  registry.faults.emplace(broken.str(), Error{Kind::unavailable, "503"});
  const auto found = collect();
  EXPECT_EQ(contents(found), (Lines{"bundle y", "simple classic"}));
  ASSERT_EQ(found.unread.size(), 1u);
  EXPECT_EQ(found.unread[0].kind, Kind::unavailable);
  EXPECT_EQ(found.unread[0].message, "looking for signatures at referrer " + broken.str() + ": 503");
}

TEST_F(SignatureCandidatesTest, TellEveryPlaceThatCannotBeRead) {
  registry.faults.emplace(tag, Error{Kind::denied, "403"});
  registry.faults.emplace("referrers", Error{Kind::unavailable, "timeout"});
  const auto found = collect();
  ASSERT_EQ(found.unread.size(), 2u);
  EXPECT_EQ(found.unread[0].message, "looking for signatures at tag " + tag + ": 403");
  EXPECT_EQ(found.unread[1].message, "looking for signatures at referrers: timeout");
}

TEST_F(SignatureCandidatesTest, AreAtMostAHundredAndNoFloodHidesAnotherPlace) {  // reliability/F48, T12
  std::vector<SignatureLayer> flood;
  for (int i = 0; i < 900; ++i) flood.push_back(layer(fmt::format("junk {}", i)));
  registry.push_classic(artifact, flood);
  registry.push_referrer(kBundleV3, {bundle("good")});
  const auto found = collect();
  EXPECT_EQ(found.list.size(), 100u);
  EXPECT_EQ(found.left_out, 801u);
  EXPECT_EQ(contents(found)[0], "bundle good");
}

TEST_F(SignatureCandidatesTest, DoNotReadMoreThanAHundredReferrers) {
  for (int i = 0; i < 150; ++i) registry.push_referrer(kBundleV3, {bundle(fmt::format("junk {}", i))});
  const auto found = collect();
  EXPECT_EQ(found.list.size(), 100u);
  EXPECT_EQ(found.left_out, 50u);
  EXPECT_EQ(registry.asked.size(), 102u);
}

TEST_F(SignatureCandidatesTest, RefuseATagWithMoreThanAThousandLayers) {  // oci 12, C
  std::vector<SignatureLayer> flood;
  for (int i = 0; i < 1001; ++i) flood.push_back(layer(fmt::format("junk {}", i)));
  registry.push_classic(artifact, flood);
  const auto found = collect();
  EXPECT_EQ(found.list.size(), 0u);
  ASSERT_EQ(found.unread.size(), 1u);
  EXPECT_EQ(found.unread[0].message,
            "looking for signatures at tag " + tag + ": manifest has 1001 layers, at most 1000 are taken");
}

}  // namespace
}  // namespace windlass
