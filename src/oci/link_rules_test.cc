#include "oci/link_rules.h"

#include <gtest/gtest.h>

#include <map>

#include "oci/entry_name.h"

namespace windlass {
namespace {

using namespace std::string_literals;

using Links = std::map<std::string, std::string>;

// A finished tree of links; other paths are folders or not there, which is the same to the rules.
class LinkTree {
 public:
  explicit LinkTree(const Links& links, UnpackLimits limits = {}) : limits_(limits) {
    for (const auto& [name, target] : links) tree_[name] = {.path = name, .type = EntryType::link, .content = target};
  }
  Result<std::string> follow(const std::string& path) {
    return follower_.follow(parent_of(path), tree_.find(path)->second.content);
  }
  int look_ups() const { return look_ups_; }

 private:
  const TreeEntry* look_up(std::string_view path) {
    ++look_ups_;
    const auto found = tree_.find(path);
    return found == tree_.end() ? nullptr : &found->second;
  }

  std::map<std::string, TreeEntry, std::less<>> tree_;
  UnpackLimits limits_;
  int look_ups_ = 0;
  LinkFollower follower_{[this](std::string_view path) { return look_up(path); }, limits_};
};

Result<std::string> judged(const Links& links, const std::string& path) { return LinkTree(links).follow(path); }

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

TEST(LinkRules, SayWhereALinkLeads) {
  EXPECT_EQ(judged({{"s/a", "../t//./x"}}, "s/a"), "t/x");
  EXPECT_EQ(judged({{"s/a", ".."}}, "s/a"), "");
  EXPECT_EQ(judged({{"s/a", "b/c"}}, "s/a"), "s/b/c");
  EXPECT_EQ(judged({{"e", "d/../x"}, {"d", "p/q"}}, "e"), "p/x");
  EXPECT_EQ(judged({{"e", "d/x/"}, {"d", "p"}, {"p", "q/../r"}, {"r/x", "y"}}, "e"), "r/y");
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
  EXPECT_EQ(message({{"a", "b/c"}, {"b", "/etc"}}, "a"), "path traversal detected: link target is absolute");
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

// Each of them alone is within the limits.
TEST(LinkRules, HaveSoManyStepsForAllLinksTogether) {
  Links links;
  for (int i = 0; i < 100; ++i) links["long"] += "x/../";
  for (int i = 10; i < 60; ++i) links["l" + std::to_string(i)] = "long";
  LinkTree tree(links, {.link_steps_max = 1000});  // 202 each, the empty part behind the last '/' among them
  for (const auto* path : {"l10", "l11", "l12", "l13"}) EXPECT_TRUE(tree.follow(path)) << path;
  for (int i = 14; i < 60; ++i) {
    const auto followed = tree.follow("l" + std::to_string(i));
    ASSERT_FALSE(followed) << "was accepted";
    EXPECT_EQ(followed.error().message, "all links together take more than 1000 steps to follow");
  }
  EXPECT_LE(tree.look_ups(), 1000);
}

TEST(LinkRules, LookForNothingWhereNoEntryCanBe) {
  const Links links = {
      {"a", "b"}, {"b", "c/" + std::string(4000, 'x') + "/y"}, {"c", "d"}, {"d", std::string(200, 'e')}};
  LinkTree tree(links);
  EXPECT_TRUE(tree.follow("a"));
  EXPECT_EQ(tree.look_ups(), 4) << "a path with the 4000 bytes is too long for an entry";
}

}  // namespace
}  // namespace windlass
