#include "secrets/jmespath.h"

#include <gtest/gtest.h>

#include "secrets/jmespath_functions.h"

namespace windlass {
namespace {

// The value as compact JSON, or why there is none.
std::string found(std::string_view expression, std::string_view document) {
  const auto path = JmesPath::parse(expression);
  if (!path) return "refused: " + path.error().message;
  const auto value = path->search(*parse_json(document));
  return value ? jmes_text(*value) : "failed: " + value.error().message;
}

constexpr std::string_view kItem = R"({
  "success": true,
  "data": {
    "name": "shop", "login": {"username": "app", "password": "s3cret", "totp": null},
    "fields": [{"name": "x", "value": "one", "type": 0}, {"name": "y", "value": "two", "type": 1},
               {"name": "x", "value": "three", "type": 1}],
    "counts": [3, 1, 2], "mixed": [1, "a", null], "nested": [[1, 2], [3], 4, [[5]]],
    "a-b": {"c": 1}, "empty": [], "half": 1.5, "big": 12345678901, "umlaut": "\u00e4\u00f6"
  }})";

struct Row {
  std::string_view expression, expected;
};

void check(std::initializer_list<Row> rows) {
  for (const auto& [expression, expected] : rows) EXPECT_EQ(found(expression, kItem), expected) << expression;
}

TEST(JmesPath, TakesMembersAndElements) {
  check({
      {"data.login.password", R"("s3cret")"},
      {"success", "true"},
      {"data . login . password", R"("s3cret")"},
      {"data.\"a-b\".c", "1"},
      {"\"data\".login.username", R"("app")"},
      {"data.nothing.at.all", "null"},
      {"data.name.x", "null"},
      {"data.counts[0]", "3"},
      {"data.counts[-1]", "2"},
      {"data.counts[3]", "null"},
      {"data.counts[-4]", "null"},
      {"data.login[0]", "null"},
      {"@.data.big", "12345678901"},
      {"data.half", "1.5"},
      {"data.login.totp", "null"},
  });
}

TEST(JmesPath, ProjectsFiltersAndCuts) {
  check({
      {"data.fields[?name=='x'].value", R"(["one","three"])"},
      {"data.fields[?name=='x'].value | [0]", R"("one")"},
      {"data.fields[?name=='x' && type==`1`].value", R"(["three"])"},
      {"data.fields[?type > `0`].name", R"(["y","x"])"},
      {"data.fields[?!(name=='x')].value", R"(["two"])"},
      {"data.fields[*].type", "[0,1,1]"},
      {"data.fields[].type", "[0,1,1]"},
      {"data.fields[0:2].value", R"(["one","two"])"},
      {"data.fields[::-1].value", R"(["three","two","one"])"},
      {"data.counts[1:]", "[1,2]"},
      {"data.counts[:-1]", "[3,1]"},
      {"data.counts[-100:100:2]", "[3,2]"},
      {"data.nested[]", "[1,2,3,4,[5]]"},
      {"data.nested[][]", "[1,2,3,4,5]"},
      {"data.login.*", R"(["app","s3cret"])"},
      {"data.*.username", R"(["app"])"},
      {"data.name[*]", "null"},
      {"data.fields[?nothing]", "[]"},
      {"data.fields[*].nothing", "[]"},
  });
}

TEST(JmesPath, BuildsListsAndObjects) {
  check({
      {"data.login.[username, password]", R"(["app","s3cret"])"},
      {"data.login.{u: username, \"p-w\": password}", R"({"u":"app","p-w":"s3cret"})"},
      {"data.nothing.[a]", "null"},
      {"[`1`, 'two', \"success\"]", R"([1,"two",true])"},
      {"`{\"a\": [1, null]}`", R"({"a":[1,null]})"},
      {R"('it\'s')", R"("it's")"},
      {R"(`"a\`b"`)", R"("a`b")"},
  });
}

TEST(JmesPath, KnowsTruthAndOrder) {
  check({
      {"data.login.totp || data.login.password", R"("s3cret")"},
      {"data.empty || 'none'", R"("none")"},
      {"data.name && data.half", "1.5"},
      {"data.login.totp && data.half", "null"},
      {"!(data.empty)", "true"},
      {"!data.empty", "null"},  // ! binds more strongly than the dot
      {"data.half == `1.5`", "true"},
      {"`1` == `1.0`", "true"},
      {"data.counts != `[3, 1, 2]`", "false"},
      {"data.name < `1`", "null"},
      {"`2` >= `2`", "true"},
      {"a || b && c", "null"},
  });
}

TEST(JmesPath, CallsFunctions) {
  check({
      {"length(data.umlaut)", "2"},
      {"reverse(data.umlaut)", R"("öä")"},
      {"length(data.fields)", "3"},
      {"sort(data.counts)", "[1,2,3]"},
      {"max(data.counts)", "3"},
      {"min(data.counts)", "1"},
      {"max(data.empty)", "null"},
      {"sum(data.counts)", "6"},
      {"avg(data.counts)", "2"},
      {"avg(data.empty)", "null"},
      {"abs(`-1.5`)", "1.5"},
      {"ceil(data.half)", "2"},
      {"floor(`-1.5`)", "-2"},
      {"sort_by(data.fields, &value)[0].value", R"("one")"},
      {"max_by(data.fields, &type).value", R"("two")"},
      {"min_by(data.fields, &type).value", R"("one")"},
      {"map(&type, data.fields)", "[0,1,1]"},
      {"join(', ', data.fields[].value)", R"("one, two, three")"},
      {"contains(data.counts, `2`)", "true"},
      {"contains(data.name, 'ho')", "true"},
      {"starts_with(data.name, 'sh')", "true"},
      {"ends_with(data.name, 'sh')", "false"},
      {"keys(data.login)", R"(["username","password","totp"])"},
      {"values(data.\"a-b\")", "[1]"},
      {"merge(data.\"a-b\", `{\"d\": 2}`)", R"({"c":1,"d":2})"},
      {"not_null(data.login.totp, data.name)", R"("shop")"},
      {"to_array(data.name)", R"(["shop"])"},
      {"to_string(data.counts)", R"("[3,1,2]")"},
      {"to_string(data.half)", R"("1.5")"},
      {"to_number('12')", "12"},
      {"to_number('x')", "null"},
      {"type(data)", R"("object")"},
      {"data.fields[].value.length(@)", "[3,3,5]"},
  });
}

TEST(JmesPath, SaysWhyItRefusesAnExpression) {
  check({
      {"", "refused: byte 1: something is missing at the end"},
      {"data.", "refused: byte 6: something is missing at the end"},
      {"data..x", "refused: byte 6: . is not expected here"},
      {"data.fields[", "refused: byte 13: something is missing at the end"},
      {"data.counts[1.5]", "refused: byte 14: . is not expected here"},
      {"data.counts[1:2:3:4]", "refused: byte 18: : is not expected here"},
      {"a = b", "refused: byte 3: = is not expected here"},
      {"'open", "refused: byte 1: ' is not closed"},
      {"`nothing`", "refused: byte 1: what stands between ` and ` is JSON; 'text' is a shorter way to write one"},
      {"a b", "refused: byte 3: b is not expected here"},
      {"nothing(a)", "refused: byte 1: there is no function nothing"},
      {"length(a, b)", "refused: byte 1: length() takes 1 arguments, got 2"},
      {"not_null()", "refused: byte 1: not_null() takes at least 1 arguments, got 0"},
      {"99999999999999999999", "refused: byte 1: 99999999999999999999 is not a number"},
      {"\xff", "refused: it is not UTF-8"},
  });
  EXPECT_EQ(found(std::string(60, '(') + "a", "{}"), "refused: byte 51: it is nested too deep");
  EXPECT_EQ(found(std::string(5000, 'a'), "{}"), "refused: it is longer than 4096 bytes");
}

TEST(JmesPath, SaysWhyASearchFails) {
  check({
      {"length(data.half)", "failed: length() wants a string, an array or an object, got number"},
      {"sort(data.mixed)", "failed: sort() wants numbers only, or strings only, got string"},
      {"abs('x')", "failed: abs() wants a number, got string"},
      {"join(', ', data.counts)", "failed: join() wants an array of strings, got number"},
      {"max_by(data.fields, name)", "failed: max_by() wants an expression, &…"},
      {"length(&name)", "failed: an expression, &…, is no value here"},
      {"data.counts[::0]", "failed: the step of a slice cannot be 0"},
  });
  std::string list = "[0";
  for (int i = 0; i < 60'000; ++i) list += ",0";
  EXPECT_EQ(found("[?" + std::string(20, '!') + "@]", list + "]"), "failed: it takes more than 1000000 steps");
}

// A value from an artifact may stand in an expression: none may fill memory.
TEST(JmesPath, EndsWhereValuesGrowWithoutEnd) {
  const std::string too_much = "failed: it makes values of more than 33554432 bytes";
  std::string doubled = "[@,@]";
  for (int i = 0; i < 600; ++i) doubled += "|[@,@]";
  EXPECT_EQ(found(doubled, "1"), too_much);
  std::string named = "{a:@,b:@}";
  for (int i = 0; i < 400; ++i) named += "|{a:@,b:@}";
  EXPECT_EQ(found(named, "1"), too_much);
  const std::string text(100'000, 'x');
  std::string list = "[\"\"";
  for (int i = 0; i < 1000; ++i) list += ",\"\"";
  EXPECT_EQ(found("join(text, list)", R"({"text":")" + text + R"(","list":)" + list + "]}"),
            "failed: join() makes more than 33554432 bytes");
  std::string joined = "join('', [@, @])";
  for (int i = 0; i < 200; ++i) joined += "|join('', [@,@])";
  EXPECT_EQ(found(joined, R"("x")"), too_much);
}

TEST(JmesPath, TakesLongChains) {
  std::string fields = "a";
  while (fields.size() < JmesPath::kTextBytesMax - 2) fields += ".a";
  EXPECT_EQ(found(fields, "{}"), "null");
  std::string choices = "a";
  while (choices.size() < JmesPath::kTextBytesMax - 3) choices += "||a";
  EXPECT_EQ(found(choices, "{}"), "null");
}

}  // namespace
}  // namespace windlass
