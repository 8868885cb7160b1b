#include "sys/unambiguous_json.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

namespace windlass {
namespace {

std::string told(std::string_view json) {
  const auto plain = parse_json(json);
  EXPECT_TRUE(plain) << json;
  const auto value = parse_unambiguous_json(json);
  if (value) {
    EXPECT_EQ(*value, *plain);
    return "";
  }
  EXPECT_EQ(value.error().kind, Kind::invalid);
  return value.error().message;
}

TEST(RepeatedKeys, AreRefusedByName) {  // reliability/P10
  const struct {
    const char* json;
    const char* key;
  } rows[] = {
      {R"({"layers":[],"layers":[]})", "layers"},
      {R"({"a":1,"a":1})", "a"},
      {R"({"a":{"b":1},"c":[2],"a":3})", "a"},
      {R"([0,{"x":[{"y":{"k":1,"l":2,"k":3}}]}])", "k"},
      {R"({"a":[{"b":1}],"c":{"d":1,"d":2}})", "d"},
      {"{\"a\" :1,\n\t\"a\"\r\n:2}", "a"},
      {R"({"":1,"":2})", ""},
      {R"({"layers":1,"l\u0061yers":2})", "layers"},
      {R"({"a\/b":1,"a/b":2})", "a/b"},
      {R"({"\"":1,"\u0022":2})", "\""},
      {R"({"a\\":1,"b":"\\","a\\":2})", "a\\"},
      {R"({"\u00e9":1,"é":2})", "é"},
      {R"({"\ud83d\ude00":1,"😀":2})", "😀"},
      {R"({"\u001b":1,"\u001B":2})", "\\x1b"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.json);
    EXPECT_EQ(told(row.json), fmt::format("key '{}' stands twice in one object", row.key));
  }
  const std::string longest(1000, 'k');
  EXPECT_LT(told(fmt::format(R"({{"{0}":1,"{0}":2}})", longest)).size(), 200u);
}

TEST(RepeatedKeys, AreNotThoseOfTwoObjectsOrWhatIsNoKey) {
  for (const auto* json : {
           "{}",
           "1",
           R"("a")",
           R"(["a","a"])",
           R"({"a":"a","b":"a"})",
           R"({"a":1,"b":{"a":2,"c":{"a":3}},"c":[{"a":4},{"a":5}]})",
           R"({"a":"\",\"a\":{","b":"}"})",
           R"({"a":"\\","b":1})",
           R"({"a":":","b":["a",":"]})",
           R"({"a":1,"A":2})",
       }) {
    SCOPED_TRACE(json);
    EXPECT_EQ(told(json), "");
  }
}

TEST(RepeatedKeys, AreNoMatterInWhatIsNoJson) {
  for (const auto* json : {"", "{", R"({"a":1,"a":2)", R"({"a":1}})", R"("a)"}) {
    const auto plain = parse_json(json), value = parse_unambiguous_json(json);
    ASSERT_TRUE(!plain && !value) << json;
    EXPECT_EQ(value.error().message, plain.error().message);
  }
}

TEST(RepeatedKeys, AreFoundAmongVeryMany) {
  std::string json = "{";
  for (int i = 0; i < 50'000; ++i) json += fmt::format(R"("{}":{{"a":{}}},)", i, i);
  EXPECT_EQ(told(json + R"("x":1})"), "");
  EXPECT_EQ(told(json + R"("7":1})"), "key '7' stands twice in one object");
}

}  // namespace
}  // namespace windlass
