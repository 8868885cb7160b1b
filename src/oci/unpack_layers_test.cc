// Layers over layers: replacing and whiteouts (reliability/T9 and 5, rows 35 and 36).
#include "oci/unpack_fixture.h"

namespace windlass {
namespace {

using UnpackLayers = UnpackFixture;

TEST_F(UnpackLayers, ReplaceWhatEarlierOnesBrought) {
  const std::string base = TarBuilder().file("f", "old").file("d/x").file("d/y").link("l", "f").end();
  EXPECT_EQ(listing(taken({base, TarBuilder().file("f", "new", "0000755").end()})), "d/ d/x d/y f l>f");
  EXPECT_EQ(content_of("f"), "new");
  EXPECT_EQ(mode_of(root / "f"), 0755u);
  EXPECT_EQ(listing(taken({base, TarBuilder().file("d", "a file now").end()})), "d f l>f");
  EXPECT_EQ(listing(taken({base, TarBuilder().link("d", "f").end()})), "d>f f l>f");
  EXPECT_EQ(listing(taken({base, TarBuilder().folder("f").file("f/x").end()})), "d/ d/x d/y f/ f/x l>f");
  EXPECT_EQ(listing(taken({base, TarBuilder().folder("l").file("l/x").end()})), "d/ d/x d/y f l/ l/x");
  EXPECT_EQ(listing(taken({base, TarBuilder().file("l", "not followed").end()})), "d/ d/x d/y f l");
  EXPECT_EQ(content_of("f"), "old");
  EXPECT_EQ(listing(taken({base, TarBuilder().hard_link("h", "f").end()})), "d/ d/x d/y f h l>f");
}

TEST_F(UnpackLayers, WhiteOutEarlierOnes) {
  const std::string base = TarBuilder().file("a").file("d/x").file("d/e/y").link("l", "a").file("d-b").end();
  EXPECT_EQ(listing(taken({base, TarBuilder().file(".wh.a", "").file(".wh.l", "").end()})), "d/ d-b d/e/ d/e/y d/x");
  EXPECT_EQ(listing(taken({base, TarBuilder().file(".wh.d", "").end()})), "a d-b l>a");
  EXPECT_EQ(listing(taken({base, TarBuilder().file("d/.wh.e", "").end()})), "a d/ d-b d/x l>a");
  EXPECT_EQ(listing(taken({base, TarBuilder().file("d/.wh..wh..opq", "").end()})), "a d/ d-b l>a");
  EXPECT_EQ(listing(taken({base, TarBuilder().file(".wh..wh..opq", "").file("n").end()})), "n");
  EXPECT_EQ(listing(taken({base, TarBuilder().file(".wh.nothing", "").end()})), "a d/ d-b d/e/ d/e/y d/x l>a");
  EXPECT_EQ(listing(taken({base, TarBuilder().file(".wh.a", "").end(), TarBuilder().file("a").end()})),
            "a d/ d-b d/e/ d/e/y d/x l>a");
}

// OCI image-spec: what stands in the whiteout's own layer stays, before and after it.
TEST_F(UnpackLayers, KeepTheirOwnThroughWhiteouts) {
  const std::string base = TarBuilder().file("d/x").file("d/e/y").end();
  const auto marker = TarBuilder().file("d/.wh..wh..opq", "").bytes(), hidden = TarBuilder().file(".wh.d", "").bytes();
  for (const auto& whiteout : {marker, hidden}) {
    const auto with_folder = TarBuilder().folder("d").file("d/e/new").bytes(),
               without = TarBuilder().file("d/e/new").bytes();
    EXPECT_EQ(listing(taken({base, ended(with_folder + whiteout)})), "d/ d/e/ d/e/new");
    EXPECT_EQ(listing(taken({base, ended(whiteout + with_folder)})), "d/ d/e/ d/e/new");
    EXPECT_EQ(listing(taken({base, ended(without + whiteout)})), "d/ d/e/ d/e/new");
    EXPECT_EQ(listing(taken({base, ended(whiteout + without)})), "d/ d/e/ d/e/new");
  }
  EXPECT_EQ(listing(taken({TarBuilder().file("a").file(".wh.a", "").end()})), "a");
}

// Row 35.
TEST_F(UnpackLayers, RefuseHostileWhiteouts) {
  const std::string base = TarBuilder().folder("d").link("l", "d").end();
  const std::pair<std::string, std::string> refused[] = {
      {".wh.", "whiteout of nothing"},
      {".wh..", "whiteout of nothing"},
      {".wh...", "whiteout of nothing"},
      {"d/.wh..", "whiteout of nothing"},
      {"d/.wh...", "whiteout of nothing"},
      {"../.wh.canary", "path traversal detected: '..' in the name"},
      {"/.wh.canary", "path traversal detected: name is absolute"},
      {"l/.wh.x", "lies behind the link 'l'"},
      {"l/.wh..wh..opq", "lies behind the link 'l'"},
  };
  for (const auto& [name, rule] : refused)
    EXPECT_EQ(refusal({base, TarBuilder().file(name, "").end()}), "layer 2 of 2: entry '" + name + "': " + rule);
}

// Row 36.
TEST_F(UnpackLayers, NeverGoThroughALinkOfAnEarlierOne) {
  const std::string base = TarBuilder().file("d/x").link("l", "d").end();
  EXPECT_EQ(refusal({base, TarBuilder().file("l/x").end()}), "layer 2 of 2: entry 'l/x': lies behind the link 'l'");
  EXPECT_EQ(refusal({base, TarBuilder().folder("l/y").end()}), "layer 2 of 2: entry 'l/y': lies behind the link 'l'");
  EXPECT_EQ(refusal({base, TarBuilder().hard_link("l/y", "d/x").end()}),
            "layer 2 of 2: entry 'l/y': lies behind the link 'l'");
  EXPECT_EQ(refusal({base, TarBuilder().hard_link("y", "l/x").end()}),
            "layer 2 of 2: entry 'y': hard link to 'l/x', which is not an earlier file of the artifact");
}

// Row 10, the inner link in the next layer.
TEST_F(UnpackLayers, HaveTheirLinksJudgedTogether) {
  EXPECT_EQ(refusal({TarBuilder().link("e", "s/up/../x").end(), TarBuilder().link("s/up", "..").end()}),
            "entry 'e': path traversal detected: link target 's/up/../x' leaves the artifact");
  EXPECT_EQ(listing(taken(
                {TarBuilder().link("e", "s/up/../x").link("s/up", "..").end(), TarBuilder().file(".wh.e", "").end()})),
            "s/ s/up>..");
}

}  // namespace
}  // namespace windlass
