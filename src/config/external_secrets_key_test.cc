#include "config/external_secrets_key.h"

#include <fmt/format.h>

#include "config/deploy_config_fixture.h"
#include "config/inline_deployments.h"
#include "config/yaml_from_json.h"

namespace windlass {
namespace {

class ExternalSecretsKey : public DeployConfigFile {
 protected:
  SecretReferences read(std::string_view value) {
    const auto configs = load(fmt::format("name: web\nexternal_secrets: {}\n", value));
    EXPECT_TRUE(configs) << value << ": " << configs.error().message;
    return configs ? configs->stacks.at(0).external_secrets : SecretReferences();
  }
};

TEST_F(ExternalSecretsKey, IsEmptyByDefault) {
  EXPECT_EQ(load("name: web\n")->stacks.at(0).external_secrets, SecretReferences());
  EXPECT_EQ(read("~"), SecretReferences());
  EXPECT_EQ(read("{}"), SecretReferences());
}

TEST_F(ExternalSecretsKey, ReadsTextAndMappings) {  // secrets/E4
  EXPECT_EQ(read("{A: 'kv:secret:app:password', B: 42, C: {store_ref: vault, remote_ref: {key: x}}}"),
            (SecretReferences{
                {"A", {.text = "kv:secret:app:password"}},
                {"B", {.text = "42"}},
                {"C", {.text = R"({"remote_ref":{"key":"x"},"store_ref":"vault"})", .is_mapping = true}},
            }));
  EXPECT_EQ(read("{A: {store_ref: vault}}").at("A").text, R"({"remote_ref":{},"store_ref":"vault"})");
}

TEST_F(ExternalSecretsKey, KeepsTypesThatReadBackAsTheyWereWritten) {  // secrets/V1.6
  EXPECT_EQ(read("{A: {store_ref: v, remote_ref: {id: 12345678, t: \"1\", zero: 007, v: 1.10, on: true, no: ~, "
                 "list: [1, {a: b}]}}}")
                .at("A")
                .text,
            R"({"remote_ref":{"id":12345678,"list":[1,{"a":"b"}],"no":null,"on":true,"t":"1","v":"1.10","zero":"007"},)"
            R"("store_ref":"v"})");
}

TEST_F(ExternalSecretsKey, SaysWhatIsWrong) {
  const std::pair<const char*, const char*> faults[] = {
      {"[a]", "failed to decode yaml: .doco-cd.yaml:2: external_secrets: expected a mapping, got a list"},
      {"{A: [x]}", "failed to decode yaml: .doco-cd.yaml:2: A: expected string or object, got a list"},
      {"{A: ~}", "failed to decode yaml: .doco-cd.yaml:2: A: expected string or object, got null"},
      {"{A: ' '}", ".doco-cd.yaml:2: A: external_secrets: the reference is empty"},
      {"{'A=B': x}", ".doco-cd.yaml:2: A=B: external_secrets: \"A=B\" is not the name of a variable"},
      {"{A: {remote_ref: {key: x}}}", ".doco-cd.yaml:2: store_ref: external_secrets.A: store_ref is missing"},
      {"{A: {store_ref: v, remoteRef: {key: x}}}",
       ".doco-cd.yaml:2: remoteRef: external_secrets.A: use snake_case keys store_ref and remote_ref"},
      {"{A: {store_ref: v, remote_ref: x}}",
       "failed to decode yaml: .doco-cd.yaml:2: remote_ref: expected a mapping, got text \"x\""},
  };
  for (const auto& [value, fault] : faults)
    EXPECT_EQ(fault_of(fmt::format("name: web\nexternal_secrets: {}\n", value)),
              fmt::format("invalid deploy configuration: {}", fault));
}

TEST_F(ExternalSecretsKey, NamesUnknownKeys) {
  const auto configs = load("name: web\nexternal_secrets:\n  A:\n    store_ref: v\n    remote_reff: {}\n");
  ASSERT_TRUE(configs);
  EXPECT_EQ(configs->warnings, (std::vector<std::string>{".doco-cd.yaml:5: unknown key \"remote_reff\", did you mean "
                                                         "\"remote_ref\"?"}));
}

TEST_F(ExternalSecretsKey, IsJoinedNameByNameWithThatOfANestedFile) {  // config 8
  file("compose.yaml", "services: {}\n");
  file("app/compose.yaml", "services: {}\n");
  file("app/.doco-cd.yaml", "external_secrets: {B: mine, C: {store_ref: v}}\n");
  const auto configs = load("auto_discovery: true\nname: base\nexternal_secrets: {A: base, B: base}\n");
  ASSERT_TRUE(configs) << configs.error().message;
  for (const auto& stack : configs->stacks) {
    if (stack.name != "app") continue;
    EXPECT_EQ(stack.external_secrets,
              (SecretReferences{{"A", {.text = "base"}},
                                {"B", {.text = "mine"}},
                                {"C", {.text = R"({"remote_ref":{},"store_ref":"v"})", .is_mapping = true}}}));
    return;
  }
  FAIL() << "app was not discovered";
}

TEST_F(ExternalSecretsKey, SurvivesInInlineDeployments) {
  std::vector<std::string> faults, warnings;
  const auto body = parse_json(
      R"([{"name":"web","external_secrets":{"A":"kv:a:b:c","mixedCase":{"store_ref":"v","remote_ref":{"Id":7}}}}])");
  const auto file = yaml_from_json(*body, JsonKeys::any_case);
  const auto text = decode_inline_deployments(*file.documents.front(), "body", faults, warnings);
  EXPECT_TRUE(faults.empty());
  const auto configs = read_inline_deployments(text);
  ASSERT_TRUE(configs) << configs.error().message;
  EXPECT_EQ(
      configs->stacks.at(0).external_secrets,
      (SecretReferences{{"A", {.text = "kv:a:b:c"}},
                        {"mixedCase", {.text = R"({"remote_ref":{"Id":7},"store_ref":"v"})", .is_mapping = true}}}));
}

TEST_F(ExternalSecretsKey, IsPartOfTheConfigurationsText) {
  EXPECT_NE(load("name: web\nexternal_secrets: {A: x}\n")->stacks.at(0).text,
            load("name: web\nexternal_secrets: {A: y}\n")->stacks.at(0).text);
}

}  // namespace
}  // namespace windlass
