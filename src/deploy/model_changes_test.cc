#include "deploy/model_changes.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

json::object parsed(std::string_view text) { return parse_json(text)->get_object(); }

TEST(ModelChanges, HideWhatMayBeSecret) {
  InputHasher hasher(Secret("key"));
  const auto model = parsed(R"({"services":{"web":{"image":"a:1","environment":{"PASSWORD":"swordfish","EMPTY":null},
      "build":{"context":".","args":{"TOKEN":"swordfish"}}}},
      "configs":{"c":{"content":"swordfish"}},"secrets":{"s":{"environment":"NAME","content":"swordfish"}}})");
  const auto text = json::serialize(redacted(model, hasher));
  EXPECT_EQ(text.find("swordfish"), text.npos) << text;
  EXPECT_NE(text.find("PASSWORD"), text.npos);
  EXPECT_NE(text.find("a:1"), text.npos);
  EXPECT_EQ(json::serialize(redacted(model, hasher)), text) << "equal values stay equal";
}

// secrets/B4: wherever a value of an encrypted file has come to stand
TEST(ModelChanges, HideValuesOfEncryptedFiles) {
  InputHasher hasher(Secret("key"));
  const auto model = parsed(
      R"({"name":"shop","services":{"web":{"image":"a:1","command":["serve","--token=swordfish!"],"labels":{"x":"swordfish"}}}})");
  const auto text = json::serialize(redacted(model, hasher, {Secret("swordfish"), Secret("unused value")}));
  EXPECT_EQ(text.find("swordfish"), text.npos) << text;
  for (const auto* kept : {"shop", "a:1", "\"serve\",\"(hidden "}) EXPECT_NE(text.find(kept), text.npos) << text;
}

TEST(ModelChanges, AreToldValueByValue) {
  const auto before =
      parsed(R"({"services":{"web":{"image":"a:1","command":["x","y"],"ports":[1]},"old":{"image":"o"}}})");
  const auto after = parsed(R"({"services":{"web":{"image":"a:2","command":["x","z"],"ports":[1,2],"tty":true}}})");
  std::vector<std::string> lines;
  for (const auto& change : changes_between(before, after))
    lines.push_back(change.path + ": " + change.before + " -> " + change.after);
  EXPECT_EQ(lines,
            (std::vector<std::string>{R"(services.old: {"image":"o"} -> )", R"(services.web.command[1]: "y" -> "z")",
                                      R"(services.web.image: "a:1" -> "a:2")", "services.web.ports: [1] -> [1,2]",
                                      "services.web.tty:  -> true"}));
  EXPECT_TRUE(changes_between(before, before).empty());
}

}  // namespace
}  // namespace windlass
