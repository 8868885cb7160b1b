#include "deploy/mounted_files.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace windlass {
namespace {

UnpackedTree tree_of(const std::map<std::string, std::string>& entries) {  // path -> target of a link, "": a file
  UnpackedTree tree{.root = "/unpacked"};
  for (const auto& [path, target] : entries)
    tree.entries.push_back({.path = path,
                            .type = target.empty()         ? EntryType::file
                                    : target == "(folder)" ? EntryType::folder
                                                           : EntryType::link,
                            .mode = 0644,
                            .content = target});
  return tree;
}

TEST(ResolvedPath, FollowsTheLinksOfTheRelease) {
  const auto tree = tree_of({{"a", "(folder)"},
                             {"a/file", ""},
                             {"a/up", "../b"},
                             {"b", ""},
                             {"folder", "a"},
                             {"loop", "loop2"},
                             {"loop2", "loop"},
                             {"out", "../x"},
                             {"root", "/etc/passwd"}});
  const std::pair<std::string, std::optional<std::string>> rows[] = {
      {"a/file", "a/file"},   {"./a//file", "a/file"}, {"a/up", "b"},          {"folder/file", "a/file"},
      {"folder/up", "b"},     {"a/../b", "b"},         {"missing", "missing"}, {"", ""},
      {"loop", std::nullopt}, {"out", std::nullopt},   {"root", std::nullopt}, {"a/../../b", std::nullopt},
  };
  for (const auto& [path, expected] : rows) EXPECT_EQ(resolved_in(tree, path), expected) << path;
}

std::set<std::string> mounted(const std::string& service, const UnpackedTree& tree, const std::string& rest = "") {
  const auto model = *parse_json(R"({"services":{"app":)" + service + "}" + rest + "}");
  return mounted_files(model.get_object(), "/live", tree, [](const auto& path) { return path.ends_with(".enc"); });
}

TEST(MountedFiles, AreThoseThatContainersSee) {  // secrets/Q9 to Q12
  const auto tree = tree_of({{"a.enc", ""},
                             {"b.enc", ""},
                             {"conf", "(folder)"},
                             {"conf/.git", "(folder)"},
                             {"conf/.git/x.enc", ""},
                             {"conf/deep", "(folder)"},
                             {"conf/deep/x.enc", ""},
                             {"conf/link.enc", "../b.enc"},
                             {"conf/plain", ""},
                             {"conf-more", "(folder)"},
                             {"conf-more/x.enc", ""},
                             {"current", "conf"}});
  using Paths = std::set<std::string>;
  const auto bind = [](const std::string& source) {
    return R"({"volumes":[{"type":"bind","source":")" + source + R"(","target":"/x"}]})";
  };
  EXPECT_EQ(mounted(bind("/live/a.enc"), tree), Paths{"a.enc"});
  EXPECT_EQ(mounted(bind("/live/conf"), tree), (Paths{"b.enc", "conf/deep/x.enc"}));
  EXPECT_EQ(mounted(bind("/live/current"), tree), (Paths{"b.enc", "conf/deep/x.enc"}));
  EXPECT_EQ(mounted(bind("/live"), tree), (Paths{"a.enc", "b.enc", "conf-more/x.enc", "conf/deep/x.enc"}));
  EXPECT_EQ(mounted(bind("/live/conf/plain"), tree), Paths{});
  EXPECT_EQ(mounted(bind("/etc/a.enc"), tree), Paths{}) << "outside the release: used as it is";
  EXPECT_EQ(mounted(R"({"volumes":[{"type":"volume","source":"/live/a.enc","target":"/x"}]})", tree), Paths{});
  EXPECT_EQ(mounted(R"({"env_file":["/live/a.enc"]})", tree), Paths{});
  const std::string files =
      R"(,"secrets":{"s":{"file":"/live/a.enc"},"unused":{"file":"/live/b.enc"}},"configs":{"c":{"file":"/live/conf/deep/x.enc"}})";
  EXPECT_EQ(mounted(R"({"secrets":[{"source":"s"}],"configs":[{"source":"c"}]})", tree, files),
            (Paths{"a.enc", "conf/deep/x.enc"}));
  EXPECT_EQ(mounted(R"({"secrets":["s"]})", tree, files), Paths{"a.enc"});
}

// Each folder has nothing but the link to the next one: followed one in another, they would be too deep for a thread.
TEST(MountedFiles, AreFoundAtTheEndOfManyLinks) {
  std::map<std::string, std::string> entries;
  constexpr int count = 50'000;
  for (int i = 0; i < count; ++i) {
    const auto folder = fmt::format("d{:05}", i);
    entries[folder] = "(folder)";
    entries[folder + "/next"] = fmt::format("../d{:05}", i + 1);
  }
  entries[fmt::format("d{:05}", count)] = "(folder)";
  entries[fmt::format("d{:05}/x.enc", count)] = "";
  EXPECT_EQ(mounted(R"({"volumes":[{"type":"bind","source":"/live/d00000","target":"/x"}]})", tree_of(entries)),
            std::set<std::string>{"d50000/x.enc"});
}

TEST(MountedFiles, AreAskedForOnceWhateverMountsThem) {
  std::map<std::string, std::string> entries{{"d", "(folder)"}};
  std::string folder = "d", volumes;
  for (int i = 0; i < 30; ++i) {
    entries[folder += "/d"] = "(folder)";
    volumes = fmt::format(R"({{"type":"bind","source":"/live/{}"}},)", folder) + volumes;  // the inner ones first
  }
  for (int i = 0; i < 100; ++i) entries[fmt::format("{}/{}", folder, i)] = "";
  const auto model = *parse_json(R"({"services":{"app":{"volumes":[)" + volumes + R"({"source":"none"}]}}})");
  int asked = 0;
  EXPECT_EQ(mounted_files(model.get_object(), "/live", tree_of(entries), [&](const auto&) { return ++asked < 0; }),
            std::set<std::string>{});
  EXPECT_GE(asked, 100);
  EXPECT_LE(asked, 200);
}

}  // namespace
}  // namespace windlass
