#include "oci/entry_name.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

using namespace std::string_literals;

TEST(EntryName, IsCleaned) {
  constexpr std::pair<std::string_view, std::string_view> names[] = {
      {"a", "a"},           {"./a//b/", "a/b"}, {"a/./b", "a/b"}, {".", ""},          {"./", ""},
      {"..data", "..data"}, {"...", "..."},     {"-rf", "-rf"},   {"a b'$", "a b'$"}, {"\xd0\xb6", "\xd0\xb6"},
  };
  for (const auto& [name, clean] : names) {
    SCOPED_TRACE(name);
    const auto path = clean_entry_name(name, {});
    ASSERT_TRUE(path) << path.error().message;
    EXPECT_EQ(*path, clean);
  }
}

TEST(EntryName, SaysWhyItRefuses) {
  std::string deep = "0", climb;
  for (int i = 1; i <= 64; ++i) deep += "/0";
  for (int i = 0; i < 40; ++i) climb += "../";
  const std::pair<std::string, std::string> refused[] = {
      {"", "name is empty"},
      {"/a", "path traversal detected: name is absolute"},
      {"//a", "path traversal detected: name is absolute"},
      {"..", "path traversal detected: '..' in the name"},
      {"../a", "path traversal detected: '..' in the name"},
      {"a/../b", "path traversal detected: '..' in the name"},
      {"a/..", "path traversal detected: '..' in the name"},
      {climb + "a", "path traversal detected: '..' in the name"},
      {"..\\a", "backslash in the name"},
      {"a\0b"s, "control byte in the name"},
      {"a\nb", "control byte in the name"},
      {"a\x1b[2J", "control byte in the name"},
      {"a\r", "control byte in the name"},
      {"a\x7f", "control byte in the name"},
      {std::string(256, 'a'), "part of 256 bytes in the name, limit 255"},
      {std::string(5000, 'a'), "name of 5000 bytes, limit 4095"},
      {deep, "name is deeper than 64 folders"},
  };
  for (const auto& [name, message] : refused) {
    SCOPED_TRACE(name);
    const auto path = clean_entry_name(name, {});
    ASSERT_FALSE(path) << "was accepted";
    EXPECT_EQ(path.error().message, message);
    EXPECT_EQ(path.error().kind, Kind::invalid);
  }
}

TEST(EntryName, TakesPartsAndDepthAtTheirLimits) {
  std::string longest;
  for (int i = 0; i < 15; ++i) longest += std::string(255, 'a') + "/";
  EXPECT_TRUE(clean_entry_name(longest + std::string(255, 'a'), {}));  // 4095 bytes: PATH_MAX without its NUL
  EXPECT_EQ(clean_entry_name(longest + std::string(254, 'a') + "/b", {}).error().message,
            "name of 4096 bytes, limit 4095");
  EXPECT_TRUE(clean_entry_name(std::string(255, 'a'), {}));
  std::string deep = "0";
  for (int i = 1; i < 64; ++i) deep += "/0";
  EXPECT_EQ(*clean_entry_name(deep, {}), deep);
}

TEST(EntryName, HasAParentAndABase) {
  EXPECT_EQ(parent_of("a/b/c"), "a/b");
  EXPECT_EQ(base_of("a/b/c"), "c");
  EXPECT_EQ(parent_of("a"), "");
  EXPECT_EQ(base_of("a"), "a");
}

}  // namespace
}  // namespace windlass
