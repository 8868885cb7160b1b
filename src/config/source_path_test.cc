#include "config/source_path.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

namespace windlass {
namespace {

TEST(SourcePath, IsCleaned) {
  const std::tuple<std::string_view, std::string_view, std::string_view> rows[] = {
      {".", "compose.yaml", "compose.yaml"},  {".", "./a//b/./c/", "a/b/c"},     {".", "a/../b", "b"},
      {"apps/x", "../y/.env", "apps/y/.env"}, {"apps/x", ".", "apps/x"},         {".", ".", "."},
      {".", "..a/b...", "..a/b..."},          {".", "with space", "with space"}, {".", "a-b/-c", "a-b/-c"},
  };
  for (const auto& [base, path, clean] : rows) EXPECT_EQ(clean_source_path(base, path), clean) << path;
}

TEST(SourcePath, StaysInsideAndIsAPath) {  // reliability 8
  for (const auto path :
       {"", "/etc/passwd", "/proc/self/environ", "..", "../x", "a/../../x", "-", "-f", "--file=/etc/passwd", "./-f",
        "a/../-f", "https://host/x", "oci://host/x", "a\nb", "a\x1b[2J", "a\x7f"})
    EXPECT_EQ(clean_source_path(".", path), std::nullopt) << path;
  EXPECT_EQ(clean_source_path("apps/x", "../../../y"), std::nullopt);
  EXPECT_EQ(clean_source_path(".", std::string(5000, 'a')), std::nullopt);
}

TEST(SourcePath, IsNamedAsSeenFromTheRoot) {
  std::string pattern = (std::filesystem::temp_directory_path() / "windlass-source-XXXXXX").string();
  const std::filesystem::path root = ::mkdtemp(pattern.data());
  const auto before = std::filesystem::current_path();
  for (const std::filesystem::path& seen : {root, std::filesystem::path(".")}) {
    std::filesystem::current_path(root);
    EXPECT_EQ(check_source_file(seen, "a.env").error().message, "opening a.env: no such file or directory");
    EXPECT_EQ(read_source_file(seen, "x/a.env", 9).error().message, "opening x/a.env: no such file or directory");
    std::filesystem::current_path(before);
  }
  std::filesystem::create_symlink("../out", root / "b.env");
  EXPECT_EQ(check_source_file(root, "b.env").error().message, "b.env leads out of the source");
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace windlass
