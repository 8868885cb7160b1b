// What a deployment would do, found out without doing any of it (deploy/S20).
#pragma once

#include <string>
#include <vector>

#include "model/plan.h"

namespace windlass {

// One value of the resolved compose model that would become another. Secret values are never in it: "(hidden 1a2b3c4d)"
// tells that two differ, not what they are.
struct ModelChange {
  std::string path;           // "services.web.image"
  std::string before, after;  // JSON, shortened; "" for what was not there, or will not be
};

struct StackReport {
  std::string name;
  std::string context;   // Docker context, "": the default engine
  std::string decision;  // "deploy", "destroy", "no changes", "skipped", "failed"
  std::string reason;    // of skipped and failed
  StackPlan plan;
  std::vector<ModelChange> changes;   // against the last good release; empty as well when there is none
  std::vector<std::string> warnings;  // what a deployment would do beside that, and few expect
};

struct PlanReport {
  std::string artifact;
  std::string digest;
  std::vector<std::string> warnings;  // about the deploy config, unknown keys for instance
  std::vector<StackReport> stacks;
};

}  // namespace windlass
