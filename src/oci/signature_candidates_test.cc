#include "oci/signature_candidates.h"

#include <gtest/gtest.h>

#include <algorithm>

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

// Whoever may push could list a good one as what it is not, in front of it.
TEST_F(SignatureCandidatesTest, AreNotHiddenByOthersOfTheSameDigest) {
  auto good = layer("payload");
  good.annotations = {{"a", "1"}, {"b", "2"}};
  auto joined = layer("payload"), longer = good, other_type = good;
  joined.annotations = {{"a", "1\nb=2"}};
  longer.more_bytes = 1;
  other_type.media_type = "text/plain";
  registry.push_classic(artifact, {good, joined, longer, other_type});
  EXPECT_EQ(collect().list.size(), 4u);

  auto false_size = bundle("good");
  false_size.more_bytes = 1;
  registry.tags.clear();
  registry.push_referrer(kBundleV3, {bundle("good")});
  registry.push_referrer(kBundleV3, {false_size}, "9999-01-01T00:00:00Z");
  registry.push_referrer(kCosignSignatures, {layer("good")}, "9999-01-01T00:00:00Z");
  EXPECT_EQ(contents(collect()), (Lines{"bundle good", "simple good", "bundle good"}));
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
  EXPECT_EQ(contents(collect()), (Lines{"simple b", "bundle a"}));
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

TEST_F(SignatureCandidatesTest, AreLookedAtAlsoWhereTheirListBreaksOff) {
  registry.push_referrer(kBundleV3, {bundle("good")});
  registry.faults.emplace("referrers", Error{Kind::invalid, "too many pages"});
  const auto found = collect();
  EXPECT_EQ(contents(found), Lines{"bundle good"});
  ASSERT_EQ(found.unread.size(), 1u);
  EXPECT_EQ(found.unread[0].message, "looking for signatures at referrers: too many pages");
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
  EXPECT_EQ(found.list.size(), 101u);
  EXPECT_EQ(found.left_out, 800u);
  EXPECT_EQ(contents(found)[0], "bundle good");
}

TEST_F(SignatureCandidatesTest, AreNotPushedOutByOneManifest) {
  registry.push_referrer(kCosignSignatures, {layer("good")});
  registry.push_referrer(kBundleV3, {bundle("good")});
  std::vector<SignatureLayer> flood;
  for (int i = 0; i < 1000; ++i) flood.push_back(layer(fmt::format("junk {}", i)));
  registry.push_referrer(kCosignSignatures, flood, "9999-01-01T00:00:00Z");
  const auto found = collect();
  EXPECT_EQ(found.list.size(), 101u);
  EXPECT_EQ(found.left_out, 901u);
  const auto lines = contents(found);
  EXPECT_EQ(Lines(lines.begin(), lines.begin() + 3), (Lines{"bundle good", "simple junk 999", "simple good"}));
}

// A date is its author's word, and so is the order of a list.
TEST_F(SignatureCandidatesTest, AreNotPushedOutByDates) {
  int pushed = 0;
  const auto flood = [&](const std::string& date, int count) {
    for (int i = 0; i < count; ++i) registry.push_referrer(kBundleV3, {bundle(fmt::format("junk {}", pushed++))}, date);
  };
  const struct {
    int before, after;
    std::string date, junk_date;
  } rows[] = {{0, 150, "", "9999-01-01T00:00:00Z"},
              {150, 0, "", "9999-01-01T00:00:00Z"},
              {150, 150, "2026-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
              {0, 2000, "2026-01-01T00:00:00Z", "9999-01-01T00:00:00Z"},
              {2000, 0, "2026-01-01T00:00:00Z", "9999-01-01T00:00:00Z"}};
  for (const auto& row : rows) {
    SCOPED_TRACE(fmt::format("{} before, {} after", row.before, row.after));
    registry.referring.clear();
    flood(row.junk_date, row.before);
    registry.push_referrer(kBundleV3, {bundle("good")}, row.date);
    flood(row.junk_date, row.after);
    const auto found = collect();
    EXPECT_EQ(found.list.size(), 100u);
    const auto lines = contents(found);
    EXPECT_EQ(std::count(lines.begin(), lines.end(), "bundle good"), 1);
  }
}

TEST_F(SignatureCandidatesTest, AreFoundAmongAnyNumberOfOtherThings) {
  for (int i = 0; i < 1500; ++i) {
    registry.push_referrer("application/spdx+json", {layer("an SBOM")});
    if (i == 750) registry.push_referrer(kBundleV3, {bundle("good")});
  }
  const auto found = collect();
  EXPECT_EQ(contents(found), Lines{"bundle good"});
  EXPECT_EQ(found.left_out, 0u);
  EXPECT_EQ(registry.asked.size(), 3u);
}

TEST_F(SignatureCandidatesTest, HaveSoManyBytesOfManifestsAtMost) {
  for (int i = 0; i < 6; ++i) {
    auto padded = bundle(fmt::format("junk {}", i));
    padded.annotations["padding"] = std::string(1 << 20, 'x');
    registry.push_referrer(kBundleV3, {padded}, "9999-01-01T00:00:00Z");
  }
  registry.push_referrer(kBundleV3, {bundle("good")});
  registry.push_referrer(kCosignSignatures, {layer("good")});
  const auto found = collect();
  EXPECT_EQ(contents(found), (Lines{"bundle junk 5", "simple good", "bundle junk 4", "bundle junk 3", "bundle good"}));
  EXPECT_EQ(found.left_out, 3u);
}

TEST_F(SignatureCandidatesTest, HaveSoManyBytesOfManifestsAtMostWhateverTheListSays) {
  for (int i = 0; i < 6; ++i) {
    auto padded = bundle(fmt::format("junk {}", i));
    padded.annotations["padding"] = std::string(1 << 20, 'x');
    registry.push_referrer(kBundleV3, {padded});
    registry.referring.back().size_bytes = 1;
  }
  const auto found = collect();
  EXPECT_EQ(found.list.size(), 4u);
  EXPECT_EQ(found.left_out, 2u);
}

TEST_F(SignatureCandidatesTest, HaveSoManyBytesAtMost) {
  for (int i = 0; i < 20; ++i) {
    auto large = bundle(fmt::format("junk {}", i));
    large.more_bytes = (1 << 20) - large.bytes.size();
    registry.push_referrer(kBundleV3, {large}, "9999-01-01T00:00:00Z");
  }
  registry.push_referrer(kBundleV3, {bundle("good")});
  const auto found = collect();
  EXPECT_EQ(found.list.size(), 12u);
  EXPECT_EQ(found.left_out, 9u);
  EXPECT_EQ(contents(found).back(), "bundle good");
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
