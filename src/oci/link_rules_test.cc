#include "oci/link_rules.h"

#include <gtest/gtest.h>

#include <map>

namespace windlass {
namespace {

using namespace std::string_literals;

// A finished tree of links; other paths are folders or not there, which is the same to the rules.
Status judged(const std::map<std::string, std::string>& links, const std::string& path) {
  std::map<std::string, TreeEntry, std::less<>> tree;
  for (const auto& [name, target] : links) tree[name] = {.path = name, .type = EntryType::link, .content = target};
  const auto look_up = [&tree](std::string_view name) -> const TreeEntry* {
    const auto found = tree.find(name);
    return found == tree.end() ? nullptr : &found->second;
  };
  return check_link_target(path, links.at(path), look_up, {});
}

TEST(LinkText, SaysWhyItRefuses) {
  const std::pair<std::string, std::string> refused[] = {
      {"", "link target is empty"},
      {"/etc", "path traversal detected: link target is absolute"},
      {"/proc/self/root", "path traversal detected: link target is absolute"},
      {std::string(5000, 'a'), "link target of 5000 bytes, limit 4095"},
      {"a\nb", "control byte in the link target"},
      {"a\0b"s, "control byte in the link target"},
  };
  for (const auto& [target, message] : refused) {
    SCOPED_TRACE(target);
    const auto allowed = check_link_text(target, {});
    ASSERT_FALSE(allowed) << "was accepted";
    EXPECT_EQ(allowed.error().message, message);
  }
  EXPECT_TRUE(check_link_text("../a b/ж", {}));
}

TEST(LinkRules, TakeWhatStaysInside) {
  EXPECT_TRUE(judged({{"a", "b"}}, "a"));
  EXPECT_TRUE(judged({{"a", "."}}, "a"));
  EXPECT_TRUE(judged({{"s/a", ".."}}, "s/a"));
  EXPECT_TRUE(judged({{"s/a", "../t//./x"}}, "s/a"));
  EXPECT_TRUE(judged({{"a", "not/there/../.."}}, "a"));
  EXPECT_TRUE(judged({{"e", "s/up/x"}, {"s/up", ".."}}, "e"));
  EXPECT_TRUE(judged({{"e", "d/../x"}, {"d", "p/q"}}, "e")) << "d is p/q, so d/.. is p";
}

TEST(LinkRules, RefuseWhatLeavesThroughOtherLinks) {
  const auto message = [](const std::map<std::string, std::string>& links, const std::string& path) {
    const auto inside = judged(links, path);
    return inside ? "taken" : inside.error().message;
  };
  // Rows 7, 9 and 10 of reliability 5.
  EXPECT_EQ(message({{"a", ".."}}, "a"), "path traversal detected: link target '..' leaves the artifact");
  EXPECT_EQ(message({{"s/a", "../../canary"}}, "s/a"),
            "path traversal detected: link target '../../canary' leaves the artifact");
  EXPECT_EQ(message({{"sub/up", ".."}, {"sub/x", "up/.."}}, "sub/x"),
            "path traversal detected: link target 'up/..' leaves the artifact");
  EXPECT_EQ(message({{"e", "s/up/../x"}, {"s/up", ".."}}, "e"),
            "path traversal detected: link target 's/up/../x' leaves the artifact");
  EXPECT_EQ(message({{"a", "b"}, {"b", "a"}}, "a"), "too many links to follow");
  EXPECT_EQ(message({{"a", "a"}}, "a"), "too many links to follow");
}

TEST(LinkRules, FollowAsManyLinksAsTheKernel) {
  std::map<std::string, std::string> chain;
  for (int i = 0; i < 41; ++i) chain["l" + std::to_string(i)] = "l" + std::to_string(i + 1);
  EXPECT_TRUE(judged(chain, "l0"));  // 40 links after the one that is judged
  chain["l41"] = "l42";
  const auto followed = judged(chain, "l0");
  ASSERT_FALSE(followed) << "was accepted";
  EXPECT_EQ(followed.error().message, "too many links to follow");
}

// Row 16: short links that grow into a very long path.
TEST(LinkRules, RefuseAPathThatGrowsTooLong) {
  std::map<std::string, std::string> links;
  std::string doubled;
  for (int i = 0; i < 400; ++i) doubled += "x/../";
  for (int i = 0; i < 20; ++i) links["l" + std::to_string(i)] = doubled + "l" + std::to_string(i + 1);
  const auto followed = judged(links, "l0");
  ASSERT_FALSE(followed) << "was accepted";
  EXPECT_EQ(followed.error().message, "link target is too long to follow");
}

}  // namespace
}  // namespace windlass
