#include "template/template.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace windlass {
namespace {

using Record = TemplateValue::Record;
using List = TemplateValue::List;

TemplateValue number(std::int64_t value) { return value; }

TemplateValue commit(const std::string& short_hash, const std::string& subject) {
  return Record{.fields = {{"ShortHash", short_hash}, {"Subject", subject}}, .text = short_hash + " " + subject};
}

const TemplateValue& data() {
  static const TemplateValue made =
      Record{.fields = {{"Title", "Hello"},
                        {"Empty", ""},
                        {"Yes", true},
                        {"No", false},
                        {"Three", number(3)},
                        {"Half", 0.5},
                        {"Names", List{"a", "b", "c"}},
                        {"None", List{}},
                        {"Commits", List{commit("abc1234", "Fix it"), commit("def5678", "Break it")}},
                        {"Inner", Record{.fields = {{"Name", "deep"}, {"Count", number(1)}}}}}};
  return made;
}

std::string rendered(std::string_view text, TemplateDialect dialect = TemplateDialect::message) {
  const auto parsed = Template::parse(text, dialect);
  if (!parsed) return "refused: " + parsed.error().message;
  const auto output = parsed->render(data());
  return output ? *output : "failed: " + output.error().message;
}

struct Row {
  std::string_view text, expected;
};

void check(std::initializer_list<Row> rows) {
  for (const auto& [text, expected] : rows) EXPECT_EQ(rendered(text), expected) << text;
}

TEST(Template, PrintsTextAndFields) {
  check({
      {"", ""},
      {"plain } text { with }} braces", "plain } text { with }} braces"},
      {"{{.Title}}", "Hello"},
      {"{{ .Title }}, {{.Inner.Name}}!", "Hello, deep!"},
      {"{{.Yes}} {{.Three}} {{.Half}} {{.Names}} {{.None}}", "true 3 0.5 [a b c] []"},
      {"{{.Commits}}", "[abc1234 Fix it def5678 Break it]"},
      {"{{.Inner}}", "{deep 1}"},
      {"{{\n.Title\n}}", "Hello"},
  });
}

TEST(Template, TrimsWhereMarkersSay) {
  check({
      {"a \n {{- .Title -}} \n b", "aHellob"},
      {"a {{- .Title}} b", "aHello b"},
      {"a {{.Title -}} b", "a Hellob"},
      {"{{.Title -}} {{- .Title}}", "HelloHello"},
      {"{{3 -}} x", "3x"},
      {"a {{-3}}", "a -3"},
      {" {{- /* gone */ -}} x", "x"},
      {"a{{/* a\ncomment }} */}}b", "ab"},
      {" \n{{- if .Yes -}} \n yes \n{{- end -}} \n", "yes"},
  });
}

TEST(Template, KnowsLiterals) {
  check({
      {R"({{"a\tb\"\\"}})", "a\tb\"\\"},
      {R"({{"\x41\101\u00e4\U0001f600"}})", "AA\u00e4\U0001f600"},
      {"{{`raw \\n\n}}`}}", "raw \\n\n}}"},
      {"{{12}} {{-12}} {{+12}} {{0x1F}} {{0b11}} {{0o17}} {{017}} {{0}}", "12 -12 12 31 3 15 15 0"},
      {"{{1.5}} {{-.5}} {{1e3}} {{1e21}} {{1e-7}} {{1.0}}", "1.5 -0.5 1000 1e+21 1e-07 1"},
      {"{{'a'}} {{'\\n'}} {{'ä'}}", "97 10 228"},
      {"{{true}} {{false}}", "true false"},
  });
}

TEST(Template, ChoosesByTruth) {
  check({
      {"{{if .Yes}}a{{else}}b{{end}}", "a"},
      {"{{if .No}}a{{else}}b{{end}}", "b"},
      {"{{if .Empty}}a{{end}}{{if .None}}b{{end}}{{if 0}}c{{end}}{{if .Inner}}d{{end}}", "d"},
      {"{{if .No}}a{{else if .Empty}}b{{else if .Title}}c{{else}}d{{end}}", "c"},
      {"{{if .No}}a{{else if .No}}b{{else}}c{{end}}d", "cd"},
      {"{{if $x := .Title}}{{$x}}{{end}}", "Hello"},
      {"{{if $x := .Empty}}a{{else}}[{{$x}}]{{end}}", "[]"},
      {"{{with .Inner}}{{.Name}} of {{$.Title}}{{end}}", "deep of Hello"},
      {"{{with .Empty}}a{{else}}{{.Title}}{{end}}", "Hello"},
      {"{{with $x := .Inner}}{{$x.Name}}{{end}}", "deep"},
  });
}

TEST(Template, GoesOverLists) {
  check({
      {"{{range .Names}}<{{.}}>{{end}}", "<a><b><c>"},
      {"{{range .None}}x{{else}}none of {{.Title}}{{end}}", "none of Hello"},
      {"{{range $n := .Names}}{{$n}}{{end}}", "abc"},
      {"{{range $i, $n := .Names}}{{if $i}}, {{end}}{{$i}}={{$n}}{{end}}", "0=a, 1=b, 2=c"},
      {"{{range .Commits}}- {{.}}\n{{end}}", "- abc1234 Fix it\n- def5678 Break it\n"},
      {"{{range .Commits}}{{.ShortHash}}{{range $.Names}}{{.}}{{end}} {{end}}", "abc1234abc def5678abc "},
  });
}

TEST(Template, HasVariables) {
  check({
      {"{{$x := 1}}{{$x}}{{$x = 2}}{{$x}}", "12"},
      {"{{$x := 1}}{{if .Yes}}{{$x = 2}}{{$y := 3}}{{$y}}{{end}}{{$x}}", "32"},
      {"{{$x := 1}}{{if .Yes}}{{$x := 2}}{{$x}}{{end}}{{$x}}", "21"},
      {"{{$last := \"\"}}{{range .Names}}{{$last = .}}{{end}}{{$last}}", "c"},
      {"{{$.Title}}{{$i := .Inner}}{{$i.Name}}", "Hellodeep"},
      {"{{$a := 1}}{{$b := 2}}{{$c := 3}}{{range .Names}}{{.}}{{end}}{{.Title}}", "abcHello"},
      {"{{if .Yes}}{{$x := 1}}{{end}}{{$x}}", "refused: line 1: variable $x is not declared"},
      {"{{$x = 1}}", "refused: line 1: variable $x is not declared"},
  });
}

TEST(Template, HasPipelinesAndParentheses) {
  check({
      {"{{.Names | len}}", "3"},
      {"{{.Title | printf \"%s-%s\" .Inner.Name}}", "deep-Hello"},
      {"{{.Title | len | printf \"%03d\" | printf \"<%s>\"}}", "<005>"},
      {"{{printf \"%d\" (len .Names)}}", "3"},
      {"{{(index .Commits 1).Subject}}", "Break it"},
      {"{{if and (eq .Title \"Hello\") (gt (len .Names) 2)}}yes{{end}}", "yes"},
      {"{{((.Title))}}", "Hello"},
  });
}

TEST(Template, HasTheFunctionsOfThePage) {
  check({
      {"{{eq 1 1}} {{eq .Title \"x\" \"Hello\"}} {{ne 1 2}} {{eq .Yes true}}", "true true true true"},
      {"{{lt 1 2}} {{le 2 2}} {{gt 1 2}} {{ge 2 2}} {{lt \"a\" \"b\"}} {{gt 1.5 0.5}}",
       "true true false true true true"},
      {"{{and 1 0 2}} {{and 1 2}} {{or 0 \"\" 3 4}} {{or 0 \"\"}}|{{not 0}} {{not .Title}}", "0 2 3 |true false"},
      {"{{and .No (index .Names 9)}} {{or .Yes (index .Names 9)}}", "false true"},  // the rest is not evaluated
      {"{{len .Title}} {{len .None}} {{len \"ä\"}}", "5 0 2"},
      {"{{index .Names 0}} {{index .Title 0}} {{index .Names}}", "a 72 [a b c]"},
      {"{{index .Names 3}}", "failed: line 1: index out of range: 3"},
      {"{{index .Names -1}}", "failed: line 1: index out of range: -1"},
      {"\n{{eq 1 \"1\"}}", "failed: line 2: int and string cannot be compared"},
      {"{{eq .Names .Names}}", "failed: line 1: []interface {} cannot be compared"},
      {"{{lt .Yes true}}", "failed: line 1: bool and bool have no order"},
      {"{{len 3}}", "failed: line 1: len of type int"},
      {"{{range .Title}}{{end}}", "failed: line 1: range cannot go over type string"},
      {"{{.Nothing}}", "failed: line 1: there is no field Nothing in struct"},
      {"{{.Title.Length}}", "failed: line 1: there is no field Length in string"},
  });
}

TEST(Template, PrintsFormatted) {
  check({
      {R"({{printf "%s %v %q %d%%" .Title .Names .Title 3}})", "Hello [a b c] \"Hello\" 3%"},
      {R"({{printf "[%8s] [%-8s] [%.2s] [%5d] [%-5d] [%05d] [%+d]" "äb" "äb" "äbc" 7 7 -7 7}})",
       "[      äb] [äb      ] [äb] [    7] [7    ] [-0007] [+7]"},
      {R"({{printf "%x %X %x %o %b %c %q" 255 255 "hi" 8 5 228 97}})", "ff FF 6869 10 101 ä 'a'"},
      {R"({{printf "%t %v %.2f %g %e %6.1f|" .Yes .Half .Half .Half 1.5 2.25}})",
       "true 0.5 0.50 0.5 1.500000e+00    2.2|"},
      {R"({{printf "%s %s" "a"}})", "a %!s(MISSING)"},
      {R"({{printf "%s" "a" 2 "c"}})", "a%!(EXTRA int=2, string=c)"},
      {R"({{printf "%d %s %t" "a" 2 3}})", "%!d(string=a) %!s(int=2) %!t(int=3)"},
      {R"({{printf "%q" .Names}} {{printf "%v" nil}} {{printf "%s" .Commits}})",
       R"(["a" "b" "c"] <nil> [abc1234 Fix it def5678 Break it])"},
      {R"({{printf "%q" "a\"b\\\n\x01ä"}})", R"("a\"b\\\n\x01ä")"},
      {R"({{printf "%.3d|% d|%03s" 7 7 "x"}})", "007| 7|00x"},
      {R"({{printf "%v %g %.2v %+v" 123456.5 1e6 0.567 2.5}})", "123456.5 1e+06 0.57 2.5"},
      {R"({{printf "%5d|%-5s" "a" 3}})", "%!d(string=    a)|%!s(int=3    )"},
      {R"({{printf "%d %s" .Inner .Inner}})", "{%!d(string=deep) 1} {deep %!s(int=1)}"},
  });
}

TEST(Template, RefusesWhatItDoesNotHave) {
  check({
      {"{{define \"x\"}}{{end}}", "refused: line 1: {{define}} is not supported"},
      {"a\n\n{{template \"x\"}}", "refused: line 3: {{template}} is not supported"},
      {"{{block \"x\" .}}{{end}}", "refused: line 1: {{block}} is not supported"},
      {"{{range .Names}}{{break}}{{end}}", "refused: line 1: {{break}} is not supported"},
      {"{{with .A}}{{else with .B}}{{end}}", "refused: line 1: {{else with}} in {{with}} is not supported"},
      {"{{html .Title}}", "refused: line 1: function html is not supported"},
      {"{{.Title | toUpper}}", "refused: line 1: function toUpper is not supported"},
      {"{{printf \"%T\" 1}}", "refused: line 1: printf: %T is not supported"},
      {"{{printf \"%*d\" 1 1}}", "refused: line 1: printf: %* is not supported"},
      {"{{printf \"%9999d\" 1}}", "refused: line 1: printf: a width over 1000 is not supported"},
      {"{{1i}}", "refused: line 1: 1i is not a number that is supported"},
  });
}

TEST(Template, RefusesWhatIsWrong) {
  check({
      {"{{", "refused: line 1: an action is not closed with }}"},
      {"{{.Title", "refused: line 1: an action is not closed with }}"},
      {"{{}}", "refused: line 1: an action is empty"},
      {"{{/* x }}", "refused: line 1: a comment is not closed with */"},
      {"{{/* x */ .Title}}", "refused: line 1: a comment must stand alone in its action"},
      {"{{\"x}}", "refused: line 1: a text is not closed"},
      {"{{\"\\q\"}}", "refused: line 1: a text has a backslash that means nothing"},
      {"{{'ab'}}", "refused: line 1: '…' must hold one character"},
      {"{{if .Yes}}\n\n", "refused: line 1: {{if}} has no {{end}}"},
      {"{{end}}", "refused: line 1: {{end}} belongs to nothing"},
      {"{{else}}", "refused: line 1: {{else}} belongs to nothing"},
      {"{{if .Yes}}{{else}}{{else}}{{end}}", "refused: line 1: {{else}} follows {{else}}"},
      {"{{if}}{{end}}", "refused: line 1: a command is missing"},
      {"{{.Title |}}", "refused: line 1: a command is missing"},
      {"{{.Title \"x\"}}", "refused: line 1: only a function may have arguments"},
      {"{{.Title | .Title}}", "refused: line 1: what follows a | must be a function"},
      {"{{(.Title}}", "refused: line 1: ( is not closed"},
      {"{{.Title)}}", "refused: line 1: ) is not expected here"},
      {"{{.Title\"x\"}}", "refused: line 1: \"\"\" is not expected here"},
      {"{{$x, $y := .Names}}", "refused: line 1: , is not expected here"},
      {"{{nil}}", "refused: line 1: nil is not a command"},
      {"{{not}}", "refused: line 1: not has 0 arguments, want 1"},
      {"{{eq 1}}", "refused: line 1: eq has 1 arguments, want at least 2"},
      {"{{len len}}", "refused: line 1: len as an argument must stand in parentheses"},
      {"{{$ := 1}}", "refused: line 1: $ cannot be assigned to"},
      {"{{$x := 1}}{{$x=2}}", "refused: line 1: \"=\" is not expected here"},
      {"\xff", "refused: it is not UTF-8"},
      {"{{#}}", "refused: line 1: \"#\" is not expected here"},
  });
}

std::string repeated(std::string_view text, int times) {
  std::string result;
  for (int count = 0; count < times; ++count) result += text;
  return result;
}

TEST(Template, HasBounds) {
  EXPECT_EQ(rendered(repeated("{{if 1}}", 100) + repeated("{{end}}", 100)),
            "refused: line 1: blocks are nested too deep");
  EXPECT_EQ(rendered("{{" + repeated("(", 10'000) + "1" + repeated(")", 10'000) + "}}"),
            "refused: line 1: parentheses are nested too deep");
  EXPECT_EQ(rendered(std::string(100'000, 'x')), "refused: it is longer than 65536 bytes");
  EXPECT_EQ(rendered(repeated("{{range $.Names}}", 20) + "." + repeated("{{end}}", 20)),
            "failed: line 1: it takes more than 20000 steps");
  EXPECT_EQ(rendered("{{$x := `0123456789`}}" + repeated("{{$x = printf `%s%s` $x $x}}", 30)),
            "failed: line 1: more than 65536 bytes come out of it");
  EXPECT_EQ(rendered("{{$x := printf `%1000s` .Title}}" + repeated("{{$x}}", 100)),
            "failed: line 1: more than 65536 bytes come out of it");
}

TEST(Template, HasMoreFunctionsForRequests) {
  for (const auto& [text, expected] : std::initializer_list<Row>{
           {"{{.Title | b64enc}}", "SGVsbG8="},
           {"{{\"SGVsbG8=\" | b64dec}}", "Hello"},
           {"{{b64dec \"?\"}}", "failed: line 1: b64dec: the text is not base64"},
           {"{{\"a b&c/ä\" | urlencode}}", "a+b%26c%2F%C3%A4"},
           {"{{urldecode \"a+b%26\"}}", "a b&"},
           {"{{urldecode \"%\"}}", "failed: line 1: urldecode: a % without two hexadecimal digits"},
           {"{{.Inner | json}}", R"({"Name":"deep","Count":1})"},
           {"{{json \"a\\\"b\"}}", R"("a\"b")"},
           {"{{json .Names}} {{json .Yes}} {{json nil}}", R"(["a","b","c"] true null)"},
           {"{{toUpper .Title}} {{toLower .Title}} {{trim \" x \"}}", "HELLO hello x"},
           {"{{print .Title 1 2 \"x\"}}{{print}}", "Hello1 2x"},
           {"{{.Title | trim | toUpper | b64enc}}", "SEVMTE8="},
           {"{{trim}}", "refused: line 1: trim has 0 arguments, want 1"},
           {"{{sha256sum .Title}}", "refused: line 1: function sha256sum is not supported"},
       })
    EXPECT_EQ(rendered(text, TemplateDialect::request), expected) << text;
  EXPECT_EQ(rendered("{{.Title | b64enc}}"), "refused: line 1: function b64enc is not supported");
}

TEST(Template, LetsWhatItPrintsBeEscaped) {
  const auto parsed = Template::parse("a{{.Title}}{{$x := 1}}b{{.Three | urlencode}}", TemplateDialect::request);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed->render(data(),
                            [](std::string_view before, std::string value, bool is_url_encoded) {
                              return fmt::format("<{}|{}|{}>", before, value, is_url_encoded);
                            }),
            "a<a|Hello|false>b<a<a|Hello|false>b|3|true>");
}

}  // namespace
}  // namespace windlass
