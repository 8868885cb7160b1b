#include "config/source_path.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace windlass
