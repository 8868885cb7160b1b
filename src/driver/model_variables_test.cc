#include "driver/model_variables.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

using Variables = std::map<std::string, std::string>;

json::object model(std::string_view text) { return parse_json(text)->as_object(); }

TEST(ModelVariables, AreCalledByNamesOfOurOwn) {
  const auto own = with_own_names(model(R"({"services":{"web":{"environment":{"OPENSSL_CONF":"x"}}},
      "secrets":{"a":{"name":"shop_a","environment":"OPENSSL_CONF"},"b":{"file":"/b"},"c":{"environment":"TOKEN"}},
      "configs":{"d":{"environment":"OPENSSL_CONF"},"e":{"content":"$$5"},"f":{"environment":"NOT_SET"}}})"),
                                  {{"OPENSSL_CONF", "/evil.cnf"}, {"TOKEN", "t\n$"}, {"SHELL", "/evil"}});
  EXPECT_EQ(own.model, model(R"({"services":{"web":{"environment":{"OPENSSL_CONF":"x"}}},
      "secrets":{"a":{"name":"shop_a","environment":"WINDLASS_VALUE_0"},"b":{"file":"/b"},
                 "c":{"environment":"WINDLASS_VALUE_1"}},
      "configs":{"d":{"environment":"WINDLASS_VALUE_0"},"e":{"content":"$$5"},"f":{"environment":"NOT_SET"}}})"));
  EXPECT_EQ(own.variables, (Variables{{"WINDLASS_VALUE_0", "/evil.cnf"}, {"WINDLASS_VALUE_1", "t\n$"}}));
}

TEST(ModelVariables, KeepThePlatformThatTheToolReads) {
  const auto own = with_own_names({}, {{"DOCKER_DEFAULT_PLATFORM", "linux/arm64"}, {"DOCKER_HOST", "tcp://evil"}});
  EXPECT_EQ(own.variables, (Variables{{"DOCKER_DEFAULT_PLATFORM", "linux/arm64"}}));
}

TEST(ModelVariables, AreNotLookedForInWhatIsNoModel) {
  const auto odd = model(R"({"secrets":{"a":null,"b":{"environment":7},"c":{"environment":""}},"configs":[1]})");
  EXPECT_EQ(with_own_names(odd, {{"", "x"}}).model, odd);
  EXPECT_TRUE(with_own_names(odd, {{"", "x"}}).variables.empty());
}

}  // namespace
}  // namespace windlass
