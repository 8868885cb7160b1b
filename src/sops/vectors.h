// For tests: files that the real command has encrypted (testdata/make).
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "base/text.h"
#include "sys/files.h"

namespace windlass::sops {

inline std::filesystem::path vector_file(const std::string& name) {
  return std::filesystem::path(WINDLASS_SOURCE_DIR) / "src/sops/testdata" / name;
}

inline std::string vector(const std::string& name) {
  auto text = read_file(vector_file(name), 1 << 20);
  EXPECT_TRUE(text) << text.error().message;
  return text.value_or("");
}

// The identity that most of them are for.
inline std::string vector_key(const std::string& name = "key.txt") {
  std::string key;
  const auto text = vector(name);
  for (const auto line : split(text, '\n'))
    if (line.starts_with("AGE-SECRET-KEY-")) key = line;
  return key;
}

}  // namespace windlass::sops
