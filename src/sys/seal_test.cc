#include "sys/seal.h"

#include <gtest/gtest.h>

#include "sys/crypto.h"

namespace windlass {
namespace {

TEST(Seal, GivesBackWhatItClosed) {
  const Seal seal(Secret("key"), "notes");
  for (const auto& text : {std::string(), std::string("tell nobody"), std::string("\0\xff", 2)}) {
    const auto sealed = seal.close(text);
    EXPECT_EQ(seal.open(sealed), text);
    EXPECT_NE(seal.close(text), sealed) << "equal texts cannot be told";
  }
  const std::string long_text(100'000, 'x');
  EXPECT_EQ(seal.open(seal.close(long_text)), long_text);
}

TEST(Seal, OpensNothingElse) {
  const Seal seal(Secret("key"), "notes");
  const auto sealed = seal.close("tell nobody");
  EXPECT_FALSE(Seal(Secret("other"), "notes").open(sealed));
  EXPECT_FALSE(Seal(Secret("key"), "other").open(sealed));
  for (const auto* text : {"", "!", "AAAA"}) EXPECT_FALSE(seal.open(text)) << text;
  auto bytes = *base64_decode(sealed);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    auto changed = bytes;
    changed[at] ^= 1;
    EXPECT_FALSE(seal.open(base64_encode(changed))) << at;
  }
}

}  // namespace
}  // namespace windlass
