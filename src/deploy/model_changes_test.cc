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

TEST(ModelChanges, HideSecretsWhereverTheyCame) {  // secrets/B4
  InputHasher hasher(Secret("key"));
  const auto model = parsed(R"({"services":{"web":{"image":"a:swordfish","command":["x","--pw=swordfish"],
      "labels":{"swordfish.x":"y"},"environment":{"P":"swordfish"},"ports":[{"target":4321}],"tty":true}},"x-n":"ab"})");
  const std::vector<Secret> secrets = {Secret("swordfish"), Secret("4321"), Secret("ab"), Secret("unused value")};
  const auto shown = redacted(model, hasher, secrets);
  const auto text = json::serialize(shown);
  for (const auto* value : {"swordfish", "4321", "\"ab\""}) EXPECT_EQ(text.find(value), text.npos) << text;
  const auto& web = shown.at("services").at("web").as_object();
  EXPECT_EQ(web.at("command").at(0), "x");
  EXPECT_EQ(web.at("tty"), true);
  EXPECT_EQ(json::serialize(redacted(model, hasher, secrets)), text);
}

TEST(ModelChanges, HideVariablesWhereInterpolationPutsThem) {
  InputHasher hasher(Secret("key"));
  const auto model = parsed(R"({"name":"shop","services":{"postgres":{"image":"postgres:v16.4.1","restart":"always",
      "command":["x","--pw=swordfish"],"labels":{"swordfish.x":"y"},"healthcheck":{"test":["CMD","x","swordfish"]}}},
      "volumes":{"nas":{"driver_opts":{"o":"password=swordfish","type":"cifs"}}},"x-image":{"image":"swordfish"}})");
  const std::vector<Secret> variables = {Secret("swordfish"), Secret("postgres"), Secret("v16.4.1"), Secret("always")};
  const auto shown = redacted(model, hasher, {}, variables);
  EXPECT_EQ(json::serialize(shown).find("swordfish"), std::string::npos) << json::serialize(shown);
  const auto& service = shown.at("services").at("postgres").as_object();
  EXPECT_EQ(service.at("image"), "postgres:v16.4.1");
  EXPECT_EQ(service.at("restart"), "always");
  EXPECT_EQ(service.at("command").at(0), "x");
  EXPECT_EQ(shown.at("volumes").at("nas").at("driver_opts").at("type"), "cifs");
  const auto hidden = redacted(model, hasher, {Secret("v16.4.1")}, variables);
  EXPECT_NE(hidden.at("services").at("postgres").at("image"), "postgres:v16.4.1") << "a secret is one there too";
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
