// For tests: a driver that does nothing well, of which a test replaces what it is about.
#pragma once

#include <string>
#include <vector>

#include "driver/driver.h"

namespace windlass {

struct IdleDriver : Driver {
  Result<json::object> resolve(const StackSpec&, const Deadline&) override { return json::object(); }
  Status pull(const ResolvedStack&, const std::vector<std::string>&, const Deadline&) override { return {}; }
  Status build(const ResolvedStack&, const std::vector<std::string>&, const BuildOptions&, const Deadline&) override {
    return {};
  }
  Status up(const ResolvedStack&, const UpOptions&, const Deadline&) override { return {}; }
  Status down(const std::string&, const DownOptions&, const Deadline&) override { return {}; }
  std::string version() const override { return ""; }
  Status check(const Deadline&) override { return {}; }
};

}  // namespace windlass
