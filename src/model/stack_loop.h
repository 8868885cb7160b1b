// Deployments of one release of a stack that keep changing something (deploy/U1).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/stack_id.h"

namespace windlass {

struct StackLoop {
  StackId stack;
  std::string key;                           // of what was deployed: changes with revision, configuration and settings
  unsigned deployments = 0;                  // in a row, each of which found something to change
  bool recreated = false;                    // all services were made anew once because of that
  std::vector<std::string> differences;      // of the last one: "page: environment changed"
  std::map<std::string, std::string> moved;  // service -> id of the newer image that it was made anew for
  WallTime deployed_at;
  std::optional<WallTime> looping_since;  // set: it is left alone
};

}  // namespace windlass
