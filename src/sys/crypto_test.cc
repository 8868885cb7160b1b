#include "sys/crypto.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace windlass {
namespace {

std::string hmac_hex(const std::string& key, std::string_view message) {
  const auto mac = HmacSha256(Secret(key)).sign(message);
  return to_hex({reinterpret_cast<const char*>(mac.data()), mac.size()});
}

TEST(HmacSha256, GivesTheValuesOfRfc4231) {  // webhook 16
  EXPECT_EQ(hmac_hex(std::string(20, '\x0b'), "Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hmac_hex("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hmac_hex(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(HmacSha256, StartsOverForEachMessage) {
  HmacSha256 mac(Secret("key"));
  const auto first = mac.sign("one");
  (void)mac.sign("two");
  EXPECT_EQ(mac.sign("one"), first);
}

TEST(Sha256, HashesPieceByPiece) {
  Sha256 hash;
  hash.update("a");
  hash.update("bc");
  EXPECT_EQ(hash.finish_hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Base64, GoesBothWays) {
  for (std::string text : {"", "f", "fo", "foo", "foob", "user:pass\xff"})
    EXPECT_EQ(base64_decode(base64_encode(text)), text);
  EXPECT_EQ(base64_decode("Zm8"), "fo");  // padding left out
  EXPECT_FALSE(base64_decode("Zm8 "));
  EXPECT_FALSE(base64_decode("Z"));
}

TEST(Uuid, IsVersion7AndRises) {
  std::string last;
  for (int i = 0; i < 10'000; ++i) {
    const auto id = new_uuid_v7();
    ASSERT_EQ(id.size(), 36u);
    ASSERT_EQ(id[14], '7');
    ASSERT_NE(std::string("89ab").find(id[19]), std::string::npos);
    ASSERT_LT(last, id);
    last = id;
  }
}

TEST(EqualConstantTime, ComparesWholeTexts) {
  EXPECT_TRUE(equal_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_constant_time("abc", "ab"));
}

}  // namespace
}  // namespace windlass
