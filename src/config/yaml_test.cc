#include "config/yaml.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>

namespace windlass {
namespace {

// The tree in one line: quoted scalars in quotes, plain ones bare.
std::string shape(const YamlNode& node) {
  std::string out;
  switch (node.kind) {
    case YamlNode::Kind::scalar:
      return node.quoted ? "\"" + node.text + "\"" : node.text;
    case YamlNode::Kind::sequence:
      for (const auto* item : node.items) out += (out.empty() ? "" : ", ") + shape(*item);
      return "[" + out + "]";
    case YamlNode::Kind::mapping:
      for (const auto& entry : node.entries) out += (out.empty() ? "" : ", ") + entry.key + ": " + shape(*entry.value);
      return "{" + out + "}";
  }
  return "";
}

std::string shape_of(std::string_view text) {
  const auto file = parse_yaml(text, "f.yaml");
  if (!file) return "error: " + file.error().message;
  std::string out;
  for (const auto* document : file->documents) out += (out.empty() ? "" : " | ") + shape(*document);
  return out;
}

std::string repeat(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

TEST(Yaml, KeepsScalarsAsWritten) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"a: 007\nb: 1e3\nc: 22:22\nd: 2024-01-02\n", "{a: 007, b: 1e3, c: 22:22, d: 2024-01-02}"},
      {"a: 'yes'\nb: yes\nc: \"\\u0041\\n\"\n", "{a: \"yes\", b: yes, c: \"A\n\"}"},
      {"a: |\n  x\n  y\nb: >-\n  x\n  y\n", "{a: \"x\ny\n\", b: \"x y\"}"},
      {"a: !!str 1\nb: !!int 1\nc: ! 1\n", "{a: \"1\", b: 1, c: \"1\"}"},
      {"a:\nb: ~\nc: {d: }\n", "{a: , b: ~, c: {d: }}"},
      {"a: [x, 'y', [z]]\n", "{a: [x, \"y\", [z]]}"},
      {"\xEF\xBB\xBF"
       "a: 1\r\nb: 2\r\n",
       "{a: 1, b: 2}"},
  };
  for (const auto& [text, tree] : rows) EXPECT_EQ(shape_of(text), tree) << text;
}

TEST(Yaml, ReadsSingleQuotedScalars) {  // YAML 1.2.2, 7.3.2
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"a: ''", "{a: \"\"}"},
      {"a: 'it''s'", "{a: \"it's\"}"},
      {"a: 'it''''s, ''''''really'''", "{a: \"it''s, '''really'\"}"},
      {"'k''''~': 'e'''", "{k''~: \"e'\"}"},
      {"a: 'x  \n   y\n\n  z '", "{a: \"x y\nz \"}"},
      {"a: '  \r\n  x\r\n\r\n  '", "{a: \" x\n\"}"},
      {"a: 'x\n  '", "{a: \"x \"}"},
      {"\xEF\xBB\xBF- 'a''''b'\n- 'c'", "[\"a''b\", \"c\"]"},
  };
  for (const auto& [text, tree] : rows) EXPECT_EQ(shape_of(text), tree) << text;
}

TEST(Yaml, LeavesEmptyDocumentsOut) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"", ""},
      {"# only this\n", ""},
      {"---\n---\n", ""},
      {"a: 1\n---\nb: 2\n---\n", "{a: 1} | {b: 2}"},
      {"--- ~\n...\n--- x\n", "x"},
  };
  for (const auto& [text, tree] : rows) EXPECT_EQ(shape_of(text), tree) << text;
}

TEST(Yaml, ResolvesAnchorsAndMergeKeys) {  // config 3
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"a: &x [1, 2]\nb: *x\n", "{a: [1, 2], b: [1, 2]}"},
      {"a: &x k\n*x : v\n", "{a: k, k: v}"},
      {"a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3, r: 4}\n", "{a: {p: 1, q: 2}, b: {q: 3, r: 4, p: 1}}"},
      {"a: {<<: {p: 1}, q: 2}\n", "{a: {q: 2, p: 1}}"},
      {"x: &x {p: 1}\ny: &y {p: 2, q: 2}\nb: {<<: [*x, *y]}\n", "{x: {p: 1}, y: {p: 2, q: 2}, b: {p: 1, q: 2}}"},
      {"x: &x {p: 1}\ny: &y {<<: *x, q: 2}\nb: {<<: *y}\n", "{x: {p: 1}, y: {q: 2, p: 1}, b: {q: 2, p: 1}}"},
      // shallow: an object written explicitly hides the merged one
      {"x: &x {o: {p: 1, q: 2}}\nb: {<<: *x, o: {p: 3}}\n", "{x: {o: {p: 1, q: 2}}, b: {o: {p: 3}}}"},
      {"a: &x 1\nb: &x 2\nc: *x\n", "{a: 1, b: 2, c: 2}"},
      {"a: {<<: []}\n", "{a: {}}"},
  };
  for (const auto& [text, tree] : rows) EXPECT_EQ(shape_of(text), tree) << text;
}

TEST(Yaml, KnowsWhereThingsStand) {
  const auto file = parse_yaml("a: 1\n\nlist:\n  - x\n  -   y\nempty:\n", "f.yaml");
  ASSERT_TRUE(file);
  const auto& root = *file->documents.at(0);
  const auto* list = root.find("list");
  ASSERT_NE(list, nullptr);
  EXPECT_EQ(list->line, 3);
  EXPECT_EQ(list->value->items.at(1)->line, 5);
  EXPECT_EQ(list->value->items.at(1)->column, 7);
  EXPECT_EQ(root.find("empty")->value->line, 6);
  EXPECT_EQ(root.find("nothing"), nullptr);
}

TEST(Yaml, SaysWhyItRefusesAFile) {
  const std::pair<std::string, std::string> rows[] = {
      {"a: 1\nb: 2\na: 3\n", "3:1: mapping key \"a\" already defined at line 1"},
      {"a: {x: 1, \"x\": 2}\n", "1:12: mapping key \"x\" already defined at line 1"},
      {"a: {<<: {}, <<: {}}\n", "1:13: mapping key \"<<\" already defined at line 1"},
      {"a:\n\t- b\n", "2:1: tab character may not be used as indentation"},
      {"a: [1, 2\nb: 3\n", "3:1: flow sequence without a closing bracket"},
      {"a: !!python/object x\n", "1:20: tag \"tag:yaml.org,2002:python/object\" is not supported"},
      {"a: !!binary aGk=\n", "1:13: tag \"tag:yaml.org,2002:binary\" is not supported"},
      {"a: !foo {b: 1}\n", "1:9: tag \"!foo\" is not supported"},
      {"a: *x\n", "1:5: unknown anchor 'x' referenced"},
      {"a: &x [*x]\n", "1:9: anchor 'x' value contains itself"},
      {"a: &x {<<: *x}\n", "1:13: anchor 'x' value contains itself"},
      {"a: &x 1\n--- *x\n", "2:6: unknown anchor 'x' referenced"},
      {"a: {<<: 1}\n", "1:5: a merge key takes a mapping or a list of mappings"},
      {"a: {<<: [{}, 1]}\n", "1:5: a merge key takes a mapping or a list of mappings"},
      {"? [a]\n: 1\n", "1:3: a mapping key must be text"},
      {"a: \"x\\0\"\n", "1:5: NUL in a value"},
      {"a: 1\nb: \xff\n", "2:1: YAML is not UTF-8"},
      {std::string("a: 1\nb: x\0y\n", 11), "2:5: NUL byte in YAML"},
      {std::string("\xff\xfe"
                   "a\0:\0",
                   6),
       "1:4: NUL byte in YAML"},
  };
  for (const auto& [text, fault] : rows) {
    SCOPED_TRACE(text);
    EXPECT_EQ(shape_of(text), "error: f.yaml:" + fault);
  }
}

TEST(Yaml, RefusesWhatIsTooMuchAtOnce) {  // reliability/T19
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  std::string merges = "a0: &a0 {k: 1}\n";
  for (int i = 1; i < 12; ++i) {
    laughs += fmt::format("a{}: &a{} [{}*a{}]\n", i, i, repeat(fmt::format("*a{}, ", i - 1), 9), i - 1);
  }
  for (int i = 0; i < 8; ++i) merges += fmt::format("m{}: {{<<: [{}]}}\n", i, repeat("*a0, ", 20'000));
  std::string anchors;
  for (int i = 0; i < 100'000; ++i) anchors += fmt::format("- &{} x\n", i);
  const std::pair<std::string, std::string> rows[] = {
      {laughs, "5:46: excessive aliasing: more than 100000 nodes"},
      {merges, "3:49977: excessive aliasing: more than 100000 nodes"},
      {anchors, ""},
      {repeat("[", 10'001), "1:10001: nested deeper than 10000 levels"},
      {repeat("- ", 10'001), ""},
      {repeat("{a: ", 10'001), ""},
      {repeat("? ", 500'000), ""},
      {"[" + repeat("x,", 400'000) + "]", ""},
      {repeat("---\na: 1\n", 100'000), "2001:1: more than 1000 documents"},
      {repeat("k: 1\n", 300'000), ""},
      {"a: " + repeat("x", 1 << 20), " larger than 1048576 bytes"},
  };
  for (const auto& [text, fault] : rows) {
    SCOPED_TRACE(text.substr(0, 60));
    const auto before = std::chrono::steady_clock::now();
    const auto result = shape_of(text);
    EXPECT_TRUE(result.starts_with("error: f.yaml:")) << result.substr(0, 100);
    if (!fault.empty()) {
      EXPECT_EQ(result, "error: f.yaml:" + fault);
    }
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(20)) << "bounded, not by the input";
  }
}

TEST(Yaml, TakesWhatFitsTheLimits) {
  EXPECT_TRUE(parse_yaml(repeat("[", 9'999) + repeat("]", 9'999), "f"));
  EXPECT_TRUE(parse_yaml("a: '" + repeat("x\n ", 300'000) + "'", "f"));
  EXPECT_EQ(parse_yaml(repeat("--- {a: 1}\n", 1'000), "f")->documents.size(), 1'000u);
}

}  // namespace
}  // namespace windlass
