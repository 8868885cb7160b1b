#include "sys/json.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

TEST(ParseJson, RefusesWhatIsNotOneStrictValue) {  // webhook/J6 to J8, reliability 6
  const std::string deep = std::string(129, '[') + std::string(129, ']');
  for (std::string text : {"", " ", "{", "{}x", "{} {}", "\xef\xbb\xbf{}", "{'a':1}", "{\"a\":1,}", "[1,]", "NaN",
                           "0x1", "01", "\"\n\"", "\"\xff\"", "\"\xc0\xaf\"", "// c\n{}", "Infinity"}) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(parse_json(text));
  }
  EXPECT_FALSE(parse_json(deep));
}

TEST(ParseJson, TakesWhiteSpaceAroundAndDepth128) {
  EXPECT_TRUE(parse_json(" \r\n{\"a\":[1,2]}\t\n"));
  EXPECT_TRUE(parse_json(std::string(128, '[') + std::string(128, ']')));
  EXPECT_TRUE(parse_json("{\"n\":123456789012345678901234567890123456789012345678901234567890}"));
}

TEST(ParseJson, SaysWhere) {
  const auto parsed = parse_json("{\"a\":1} x");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().message, "invalid JSON at byte 9: text after the value");
}

TEST(CanonicalJson, SortsKeysAtEveryDepth) {  // deploy/N5
  const auto value = parse_json(R"({"b":[{"z":1,"a":"x\n"}],"a":null})");
  ASSERT_TRUE(value);
  EXPECT_EQ(canonical_json(*value), R"({"a":null,"b":[{"a":"x\n","z":1}]})");
}

}  // namespace
}  // namespace windlass
