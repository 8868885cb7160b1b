#include "sigstore/json_fields.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

TEST(JsonFields, TakesTheJsonFormOfProtocolBuffers) {
  const auto value = json::parse(
      R"({"text":"t","bytes":"AQI=","number":"12","plain":3,"time":"2026-01-02T03:04:05Z","nothing":null,
          "object":{"inner":"i"},"list":[{"n":1},{"n":"2"}],"hashes":["AQ==","Ag=="]})");
  JsonFields fields(value);
  EXPECT_EQ(fields.text("text"), "t");
  EXPECT_EQ(fields.bytes("bytes"), "\x01\x02");
  EXPECT_EQ(fields.number("number"), 12);
  EXPECT_EQ(fields.number("plain"), 3);
  EXPECT_EQ(fields.time("time"), FakeClock().wall);
  EXPECT_EQ(fields.object("object").text("inner"), "i");
  ASSERT_EQ(fields.objects("list", 2).size(), 2u);
  EXPECT_EQ(fields.objects("list", 2)[1].number("n"), 2);
  EXPECT_EQ(fields.byte_items("hashes", 2), (std::vector<std::string>{"\x01", "\x02"}));
  EXPECT_TRUE(fields.has("object") && !fields.has("nothing") && !fields.has("absent"));
  EXPECT_TRUE(fields.text("absent").empty() && fields.number("absent") == 0 && fields.objects("absent", 1).empty());
  EXPECT_TRUE(fields.text("nothing").empty() && !fields.time("nothing") && !fields.object("absent").has("inner"));
  EXPECT_TRUE(fields.status());
}

TEST(JsonFields, KeepsTheFirstFaultWithItsPlace) {
  struct Case {
    std::string_view json, message;
  };
  const Case cases[] = {
      {R"({"a":[{"b":{"c":1}}]})", "a[0].b.c: want text"},
      {R"({"a":[{"b":{"c":"x","d":1}}]})", "a[0].b.d: is not known"},
      {R"({"a":[1]})", "a[0]: want an object"},
      {R"({"a":{}})", "a: want an array"},
      {R"({"a":[{},{},{}]})", "a: want at most 2 items, got 3"},
      {R"({"n":-1})", "n: want a whole number, 0 or more"},
      {R"({"n":"1x"})", "n: want a whole number, 0 or more"},
      {R"({"n":1.5})", "n: want a whole number, 0 or more"},
      {R"({"n":18446744073709551615})", "n: want a whole number, 0 or more"},
      {R"({"n":"9223372036854775808"})", "n: want a whole number, 0 or more"},
      {R"({"y":"AQI"})", "y: want standard base64"},
      {R"({"y":"AQJ="})", "y: want standard base64"},
      {R"({"y":"A-_="})", "y: want standard base64"},
      {R"({"y":"AQ I="})", "y: want standard base64"},
      {R"({"y":1})", "y: want standard base64"},
      {R"({"t":"2026-01-02"})", "t: want a time like 2026-01-02T03:04:05Z"},
      {R"({"h":["AQ==","A"]})", "h[1]: want standard base64"},
      {R"([])", "want a JSON object"},
  };
  for (const auto& [text, message] : cases) {
    SCOPED_TRACE(text);
    const auto value = json::parse(text);
    JsonFields fields(value);
    for (auto& item : fields.objects("a", 2)) {
      auto inner = item.object("b");
      inner.text("c");
      inner.only({"c"});
    }
    fields.number("n");
    fields.bytes("y");
    fields.time("t");
    fields.byte_items("h", 2);
    ASSERT_FALSE(fields.status()) << "was accepted";
    EXPECT_EQ(fields.status().error().message, message);
  }
}

}  // namespace
}  // namespace windlass
