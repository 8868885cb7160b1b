// Hostile links (reliability/T9 and 5, rows 6 to 20).
#include "oci/unpack_fixture.h"

namespace windlass {
namespace {

using UnpackLinks = UnpackFixture;

struct Row {
  std::string entries;
  std::string rule;  // the message after the layer
};

TEST_F(UnpackLinks, AreRefusedWhenRead) {
  const std::string absolute = "path traversal detected: link target is absolute";
  const std::string another = "replaces an entry of another kind in the same layer";
  const Row rows[] = {
      {TarBuilder().link("a", "/etc"), "entry 'a': " + absolute},                                     // 6
      {TarBuilder().link("a", folder.string()).file("a/canary"), "entry 'a': " + absolute},           // 6
      {TarBuilder().link("a", "..").file("a/canary"), "entry 'a/canary': lies behind the link 'a'"},  // 7
      {TarBuilder().link("a", "../../canary").file("a"), "entry 'a': " + another},                    // 11
      {TarBuilder().folder("a").link("a", "..").file("a/canary"), "entry 'a': " + another},           // 12
      {TarBuilder().link("a", "..").folder("a", "0000777"), "entry 'a': " + another},                 // 13
      {TarBuilder().link("a", "/proc/self/root"), "entry 'a': " + absolute},                          // 14
      {TarBuilder().link("a", "/proc/self/cwd/x"), "entry 'a': " + absolute},                         // 14
      {TarBuilder().pax({{"linkpath", "/etc"}}).link("a", "b"), "entry 'a': " + absolute},            // 15
      {TarBuilder().long_link("/etc").link("a", "b"), "entry 'a': " + absolute},                      // 15
      {TarBuilder().link("a", ""), "entry 'a': link target is empty"},                                // 17
      {TarBuilder().long_link(std::string(5000, 'a')).link("a", ""),
       "entry 'a': link target of 5000 bytes, limit 4095"},                             // 17
      {TarBuilder().link("a", "b\x1b"), "entry 'a': control byte in the link target"},  // 17
  };
  for (const auto& [entries, rule] : rows) {
    EXPECT_EQ(refusal({ended(entries)}), "layer 1 of 1: " + rule);
    EXPECT_EQ(refusal({TarBuilder().file("c").end(), ended(entries)}), "layer 2 of 2: " + rule);
  }
}

TEST_F(UnpackLinks, AreJudgedAgainstTheFinishedTree) {
  const auto leaves = [](const std::string& path, const std::string& target) {
    return "entry '" + path + "': path traversal detected: link target '" + target + "' leaves the artifact";
  };
  TarBuilder chain;  // 8
  for (int i = 10; i < 70; ++i) chain.link("l" + std::to_string(i), "l" + std::to_string(i + 1));
  chain.link("l70", "../canary");
  const Row rows[] = {
      {TarBuilder().link("a", ".."), leaves("a", "..")},                                                  // 7
      {TarBuilder().link("s/a", "../../canary"), leaves("s/a", "../../canary")},                          // 7
      {chain, "entry 'l10': too many links to follow"},                                                   // 8
      {TarBuilder().link("sub/up", "..").link("sub/x", "up/.."), leaves("sub/x", "up/..")},               // 9
      {TarBuilder().link("s/up", "..").link("e", "s/up/../x"), leaves("e", "s/up/../x")},                 // 10
      {TarBuilder().link("e", "s/up/../x").link("s/up", ".."), leaves("e", "s/up/../x")},                 // 10
      {TarBuilder().link("a", "../../../../proc/self/root"), leaves("a", "../../../../proc/self/root")},  // 14
  };
  for (const auto& [entries, message] : rows) {
    EXPECT_EQ(refusal({ended(entries)}), message);
    EXPECT_EQ(refusal({TarBuilder().file("c").end(), ended(entries)}), message);
  }
  EXPECT_EQ(refusal({TarBuilder().link("sub/up", "..").file("sub/up/x").end()}),
            "layer 1 of 1: entry 'sub/up/x': lies behind the link 'sub/up'");  // 9
}

TEST_F(UnpackLinks, AreFollowedInSoManyStepsTogether) {
  limits.link_steps_max = 1000;
  std::string target;
  for (int i = 0; i < 100; ++i) target += "x/../";
  TarBuilder few, many;
  few.long_link(target).link("a", "");
  many.long_link(target).link("a", "");
  for (int i = 10; i < 13; ++i) few.link("l" + std::to_string(i), "a");
  for (int i = 10; i < 99; ++i) many.link("l" + std::to_string(i), "a");
  EXPECT_EQ(taken({few.end()}).entries.size(), 4u);
  EXPECT_EQ(refusal({many.end()}), "entry 'l13': all links together take more than 1000 steps to follow");
}

// Rows 18 to 20.
TEST_F(UnpackLinks, HardOnesNeedAnEarlierFile) {
  const auto no_file = [](const std::string& target) {
    return "entry 'a': hard link to '" + target + "', which is not an earlier file of the artifact";
  };
  const std::string climb = "entry 'a': hard link: path traversal detected: '..' in the name";
  const std::string absolute = "entry 'a': hard link: path traversal detected: name is absolute";
  const Row rows[] = {
      {TarBuilder().hard_link("a", "/etc/passwd"), absolute},
      {TarBuilder().hard_link("a", "../../canary"), climb},
      {TarBuilder().link("l", "x").file("x").hard_link("a", "l"), no_file("l")},
      {TarBuilder().link("l", "d").file("d/x").hard_link("a", "l/x"), no_file("l/x")},
      {TarBuilder().hard_link("a", "nothing"), no_file("nothing")},
      {TarBuilder().hard_link("a", "a"), no_file("a")},
      {TarBuilder().file("a").hard_link("a", "a"), no_file("a")},
      {TarBuilder().folder("d").hard_link("a", "d"), no_file("d")},
      {TarBuilder().folder("d").hard_link("a", "."), no_file("")},
      {TarBuilder().hard_link("a", "later").file("later"), no_file("later")},
      {TarBuilder().hard_link("a", "../../canary").file("a", "overwritten"), climb},
  };
  for (const auto& [entries, rule] : rows) {
    EXPECT_EQ(refusal({ended(entries)}), "layer 1 of 1: " + rule);
    EXPECT_EQ(refusal({TarBuilder().file("c").end(), ended(entries)}), "layer 2 of 2: " + rule);
  }
}

}  // namespace
}  // namespace windlass
