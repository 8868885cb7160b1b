#include "sops/document.h"

#include <gtest/gtest.h>

namespace windlass::sops {
namespace {

using Kind = Value::Kind;

TEST(Format, IsToldByTheEndOfTheName) {  // secrets/Q4
  constexpr std::pair<std::string_view, Format> kRows[] = {
      {"a.yaml", Format::yaml},      {"dir/a.yml", Format::yaml},  {"a.json", Format::json},
      {".env", Format::dotenv},      {"prod.env", Format::dotenv}, {"a.ini", Format::ini},
      {".env.prod", Format::binary}, {"a.YAML", Format::binary},   {"x.env.enc", Format::binary},
      {"tls.key", Format::binary},   {"yaml", Format::binary},
  };
  for (const auto& [path, format] : kRows) EXPECT_EQ(format_of(path), format) << path;
}

// What the MAC of an unencrypted YAML value covers (Q27): as the library of sops reads it.
TEST(Document, ReadsPlainScalarsOfYamlAsSopsDoes) {
  struct Row {
    std::string_view written;
    Kind kind;
    std::string_view text;
  };
  constexpr Row kRows[] = {
      {"text", Kind::text, "text"},
      {"'7'", Kind::text, "7"},
      {"\"true\"", Kind::text, "true"},
      {"7", Kind::integer, "7"},
      {"-7", Kind::integer, "-7"},
      {"0", Kind::integer, "0"},
      {"1.50", Kind::number, "1.5"},
      {"-0.25", Kind::number, "-0.25"},
      {".5", Kind::number, "0.5"},
      {"1e3", Kind::number, "1000"},
      {"1e-6", Kind::number, "0.000001"},
      {"1.2345678901234568e+22", Kind::number, "12345678901234568000000"},
      {"123456.789e-3", Kind::number, "123.456789"},
      {"-100.0", Kind::number, "-100"},
      {"2024-02-29T12:34:56Z", Kind::time, "2024-02-29T12:34:56Z"},
      {"2024-02-29T12:34:56.789+02:00", Kind::time, "2024-02-29T12:34:56.789+02:00"},
      {"true", Kind::boolean, "True"},
      {"FALSE", Kind::boolean, "False"},
      {"yes", Kind::text, "yes"},
      {"null", Kind::null, ""},
      {"~", Kind::null, ""},
      {"", Kind::null, ""},
      {"8080:80", Kind::text, "8080:80"},
      {"1.2.3", Kind::text, "1.2.3"},
      {"10.0.0.1", Kind::text, "10.0.0.1"},
      {"1.5GB", Kind::text, "1.5GB"},

      {"--verbose", Kind::text, "--verbose"},
      {"...x", Kind::text, "...x"},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.written);

    const auto parsed = parse("a: " + std::string(row.written) + "\n", Format::yaml, "x.yaml");
    ASSERT_TRUE(parsed) << parsed.error().message;
    const auto* value = parsed->front().find("a");
    ASSERT_NE(value, nullptr);
    EXPECT_EQ(static_cast<int>(value->kind), static_cast<int>(row.kind));
    EXPECT_EQ(value->text, row.text);
  }
}

// Ways of writing that sops never uses itself: it is asked then.
TEST(Document, LeavesToSopsWhatItCannotReadExactly) {
  for (const std::string written :
       {"0x1F", "0o17", "017", "0b101", "1_000", "+5", ".inf", "-.INF", ".nan", "2024-02-29", "2024-2-9T12:00:00Z",
        "2024-02-29T12:00:00.10Z", "2024-02-29T12:00:00", "99999999999999999999"}) {
    const auto parsed = parse("a: " + written + "\n", Format::yaml, "x.yaml");
    ASSERT_FALSE(parsed) << written;
    EXPECT_EQ(parsed.error().kind, windlass::Kind::conflict);
    EXPECT_EQ(parsed.error().message, "x.yaml:1: a value is written in a way that only sops reads");
  }
  for (const std::string text :
       {"[a]\nk = \"quoted\"\n", "[a]\nk = v ; comment\n", "[a]\n- = v\n", "[a]\nk = v\\\n", "[a]\nk = v\nk = w\n"}) {
    const auto parsed = parse(text, Format::ini, "x.ini");
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().kind, windlass::Kind::conflict) << text;
  }
  const auto merged = parse("base: &b {x: 1}\na:\n  <<: *b\n", Format::yaml, "x.yaml");
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().message, "x.yaml: merge keys are read by sops alone");
}

TEST(Document, SaysWhatIsNotOfItsFormat) {
  struct Row {
    Format format;
    std::string_view text, message;
  };
  constexpr Row kRows[] = {
      {Format::yaml, "- a\n", "x:1: not a mapping"},
      {Format::json, "[1]", "x: not a JSON object"},
      {Format::dotenv, "A=1\nwords\n", "x:2: no '=' in the line"},
      {Format::ini, "[a\n", "x:1: a section without its end"},
      {Format::ini, "[a]\nwords\n", "x:2: neither a section nor a key"},
  };
  for (const auto& row : kRows) {
    const auto parsed = parse(row.text, row.format, "x");
    ASSERT_FALSE(parsed) << row.text;
    EXPECT_EQ(parsed.error().message, row.message);
  }
}

TEST(Document, WritesWhatReadsTheSame) {
  const std::string yaml =
      "text: plain\nnumber: \"12\"\nyes: \"yes\"\nport: 80\nratio: 1.5\non: true\nnothing: null\n"
      "list:\n    - a: 1\n    - []\n    - {}\n    -\n        - deep\n\"odd key: \": \"a\\nb\"\n---\nsecond: two\n";
  const auto parsed = parse(yaml, Format::yaml, "x");
  ASSERT_TRUE(parsed) << parsed.error().message;
  const auto written = emit(*parsed, Format::yaml);
  ASSERT_TRUE(written);
  const auto again = parse(*written, Format::yaml, "x");
  ASSERT_TRUE(again) << again.error().message << "\n" << *written;
  EXPECT_EQ(*emit(*again, Format::yaml), *written);
  EXPECT_NE(written->find("number: \"12\"\n"), std::string::npos) << *written;
  EXPECT_NE(written->find("\"yes\": \"yes\"\n"), std::string::npos) << *written;
  EXPECT_NE(written->find("---\nsecond: two\n"), std::string::npos) << *written;

  const auto json = parse(R"({"a": [1, {"b": null}, []], "c": "x\"y", "d": true, "e": {}})", Format::json, "x");
  ASSERT_TRUE(json);
  EXPECT_EQ(
      *emit(*json, Format::json),
      "{\n\t\"a\": [\n\t\t1,\n\t\t{\n\t\t\t\"b\": null\n\t\t},\n\t\t[]\n\t],\n\t\"c\": \"x\\\"y\",\n\t\"d\": true,\n"
      "\t\"e\": {}\n}\n");
  const auto dotenv = parse("# note\nA=1\nB=x\\ny\n", Format::dotenv, "x");
  ASSERT_TRUE(dotenv);
  EXPECT_EQ(dotenv->front().find("B")->text, "x\ny");
  EXPECT_EQ(*emit(*dotenv, Format::dotenv), "# note\nA=1\nB=x\\ny\n");
  auto ini = parse("top = 1\n[a]\nk = v\n", Format::ini, "x");
  ASSERT_TRUE(ini);
  ini->front().members[1].value.members[0].value.text = "v;w";
  EXPECT_EQ(*emit(*ini, Format::ini), "[DEFAULT]\ntop = 1\n\n[a]\nk = `v;w`\n");
  EXPECT_EQ(*emit(*parse(R"({"data": "bytes\n"})", Format::binary, "x"), Format::binary), "bytes\n");
  EXPECT_FALSE(emit(*parse(R"({"data": 1})", Format::binary, "x"), Format::binary));
}

}  // namespace
}  // namespace windlass::sops
