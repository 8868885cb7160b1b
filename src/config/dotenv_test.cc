#include "config/dotenv.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace windlass {
namespace {

using Variables = std::map<std::string, std::string>;

const Lookup kOuter = [](const std::string& name) -> std::optional<std::string> {
  if (name == "OUTER") return "outer";
  if (name == "EMPTY") return "";
  return std::nullopt;
};

// statement, the value of A: every row as `docker compose --env-file` of compose 2.26 reads it
const std::pair<std::string_view, std::string_view> kValues[] = {
    {"A=1", "1"},
    {"export  A=1", "1"},
    {"A: yaml", "yaml"},
    {"A =  spaced  ", "spaced"},
    {"A=two words   # comment", "two words"},
    {"A=#notcomment", "#notcomment"},
    {"A= #x", "#x"},
    {"A=a#b", "a#b"},
    {"A=", ""},
    {"A=a\\nb", "a\\nb"},
    {"A=a\"b", "a\"b"},
    {"A=a'b'c", "a'b'c"},
    {"A=$$x", "$x"},
    {"A=\"a\" # c", "a"},
    {"A=\"dq \\\"x\\\" \\n \\t \\$A $$ \\q \\0101\"", "dq \"x\" \n \t $A $ \\q A"},
    {"A=\"x\\\\y \\a\"", "x\\y \a"},
    {"A=\"x\\\\\"", "x\\"},
    {"A='sq ${OUTER} \\n it\\'s'", "sq ${OUTER} \\n it's"},
    {"A='a\\b'", "a\\b"},
    {"A=\"multi\nline\"", "multi\nline"},
    {"A='m\nl'", "m\nl"},
    {"A=\"a\\\nb\"", "a\\\nb"},
    {"A=1\r\n", "1"},
    {"A=\"x\r\ny\"\r\n", "x\ny"},
    {"\xEF\xBB\xBF"
     "A=1",
     "1"},
    {"A=first\nA=second", "second"},
    {"B=1\nA=${B}$B${B:-z}", "111"},
    {"A=${OUTER}${EMPTY}${NOPE}", "outer"},
    {"A=${NOPE:-def} ${NOPE-d2} ${EMPTY:-e} ${EMPTY-no}", "def d2 e "},
    {"A=${OUTER:+alt}${EMPTY:+no}${EMPTY+yes}${NOPE+no}", "altyes"},
    {"A=${NOPE:-${OUTER}x}y", "outerxy"},
    {"A=${NOPE:-${NOPE:-}}", ""},
    {"A=${OUTER?must be set}", "outer"},
    {"OUTER=mine\nA=$OUTER", "outer"},  // what stands outside wins
};

TEST(Dotenv, ReadsValuesAsComposeDoes) {
  for (const auto& [text, value] : kValues) {
    SCOPED_TRACE(text);
    const auto variables = parse_dotenv(text, ".env", kOuter);
    ASSERT_TRUE(variables) << variables.error().message;
    EXPECT_EQ(variables->at("A"), value);
  }
}

TEST(Dotenv, ReadsNamesAndSkipsTheRest) {
  const auto variables = parse_dotenv(
      "# comment\n\n  # another\nOUTER\nNOPE\nX.Y=dot\nZ-Z=dash\nP[0]=list\nexporter=1\nLAST", ".env", kOuter);
  ASSERT_TRUE(variables);
  EXPECT_EQ(*variables,
            (Variables{{"OUTER", "outer"}, {"P[0]", "list"}, {"X.Y", "dot"}, {"Z-Z", "dash"}, {"exporter", "1"}}));
  EXPECT_EQ(*parse_dotenv("", ".env", kOuter), Variables{});
}

TEST(Dotenv, SaysWhereItIsWrongAndNeverQuotesAValue) {
  const std::pair<std::string, std::string> rows[] = {
      {"A=1\nB C=hunter2", "2: a name of letters, digits, \"_\", \".\" and \"-\" was expected"},
      {"A=1\n=hunter2", "2: a value without a name"},
      {"{\"json\": \"hunter2\"}", "1: a name of letters, digits, \"_\", \".\" and \"-\" was expected"},
      {"A=1\n\nB=\"hunter2\nC=3", "3: a quoted value has no end"},
      {"A='hunter2\\'", "1: a quoted value has no end"},
      {"A=hunter2${B", "1: \"${\" without its \"}\""},
      {"A=hunter2$", "1: \"$\" without the name of a variable, write \"$$\" for the sign"},
      {"A=hunter2$2", "1: \"$\" without the name of a variable, write \"$$\" for the sign"},
      {"A=${}", "1: \"${\" without the name of a variable"},
      {"A=${B!hunter2}", "1: \"${B\" is followed by no known operator"},
      {"A=${B?hunter2}", "1: required variable B is missing a value"},
      {std::string("A=\"x\0\"", 6), "1: NUL in a value"},
  };
  for (const auto& [text, fault] : rows) {
    SCOPED_TRACE(text);
    const auto variables = parse_dotenv(text, ".env", kOuter);
    ASSERT_FALSE(variables);
    EXPECT_EQ(variables.error().message, ".env:" + fault);
  }
}

TEST(Dotenv, EndsExpansionsThatGrowWithoutEnd) {
  std::string text = "A0=xxxxxxxxxx\n", nested = "A=";
  for (int i = 1; i < 40; ++i) {
    const auto before = "$A" + std::to_string(i - 1);
    text += "A" + std::to_string(i) + "=" + before + before + before + before + "\n";
  }
  EXPECT_EQ(parse_dotenv(text, ".env", kOuter).error().message, ".env:8: the value is longer than 131072 bytes");
  std::string copies = "A=" + std::string(100'000, 'x') + "\n";
  for (int i = 0; i < 100'000; ++i) copies += "B" + std::to_string(i) + "=$A\n";
  EXPECT_EQ(parse_dotenv(copies, ".env", kOuter).error().message, ".env:11: more than 1048576 bytes of variables");
  for (int i = 0; i < 100'000; ++i) nested += "${B:-";
  EXPECT_FALSE(parse_dotenv(nested + std::string(100'000, '}'), ".env", kOuter));
}

}  // namespace
}  // namespace windlass
