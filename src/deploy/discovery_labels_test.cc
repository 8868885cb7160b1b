#include "deploy/discovery_labels.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

// deploy/L12, L13, L19
TEST(DiscoveryLabels, TellTheRulesOfAStackThatWasFound) {
  const std::string own = "cd.doco.deployment.";
  struct Row {
    Labels labels;
    std::optional<AutoDiscovery> rules;
  };
  const AutoDiscovery kept{.enabled = true}, removed{.enabled = true, .remove = true};
  const Row rows[] = {
      {{}, std::nullopt},
      {{{own + "auto_discovery", "false"}}, std::nullopt},
      {{{own + "auto_discovery", "true"},
        {own + "auto_discovery.config",
         "{enabled: true, depth: 2, delete: true, remove_volumes: true, remove_images: false}"}},
       AutoDiscovery{.enabled = true, .depth = 2, .remove = true, .remove_volumes = true, .remove_images = false}},
      {{{own + "auto_discovery", "true"}, {own + "auto_discovery.config", "{enabled: true, delete: false}"}}, kept},
      {{{own + "auto_discovery", "true"}}, removed},
      {{{own + "auto_discovery", "true"}, {own + "auto_discovery.delete", "false"}}, kept},
      {{{own + "auto_discover", "true"}, {own + "auto_discover.delete", "false"}}, kept},
      {{{own + "auto_discover", "true"}}, removed},
  };
  for (const auto& [labels, rules] : rows) {
    SCOPED_TRACE(labels.empty() ? "" : labels.rbegin()->first + "=" + labels.rbegin()->second);
    EXPECT_TRUE(discovery_of(labels) == rules);
  }
}

}  // namespace
}  // namespace windlass
