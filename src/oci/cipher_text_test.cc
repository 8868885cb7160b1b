#include "oci/cipher_text.h"

#include <gtest/gtest.h>

#include <vector>

namespace windlass {
namespace {

bool found(const std::vector<std::string_view>& pieces) {
  CipherTextScan scan;
  for (const auto piece : pieces) scan.update(piece);
  return scan.found();
}

TEST(CipherTextScan, FindsTheMarkWhereverPiecesEnd) {
  const std::string_view text = "A=[E]ENC[AES256_GCM";
  EXPECT_TRUE(found({text}));
  EXPECT_FALSE(found({"A=[E]EN[ENC (ENC]"}));
  for (std::size_t i = 0; i <= text.size(); ++i)
    for (std::size_t j = i; j <= text.size(); ++j)
      EXPECT_TRUE(found({text.substr(0, i), text.substr(i, j - i), text.substr(j)})) << i << " " << j;
  std::vector<std::string_view> bytes;
  for (std::size_t i = 0; i < text.size(); ++i) bytes.push_back(text.substr(i, 1));
  EXPECT_TRUE(found(bytes));
  EXPECT_TRUE(found({"E", "", "NC", "["}));
  EXPECT_FALSE(found({"E", "N", "x", "C["}));
  EXPECT_FALSE(found({"", "ENC"}));
}

}  // namespace
}  // namespace windlass
