// A release: what a stack was last brought to (deploy/V1).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/digest.h"
#include "model/job.h"
#include "model/stack_id.h"
#include "model/stack_loop.h"

namespace windlass {

// removed: its stack was taken down then.
enum class ReleaseState { running, succeeded, failed, removed };
std::string_view to_string(ReleaseState state);

// What the containers of one service are made from, part by part: name of the part -> keyed hash of its value.
// Equal parts, equal containers (deploy/N4, N9).
using ServiceInputs = std::map<std::string, std::string>;

struct Release {
  std::string id;  // UUIDv7; containers carry it as label cd.windlass.release
  StackId stack;
  JobRequest request;  // what it was asked for with: enough to ask for it again
  std::string digest;
  std::string config_hash;                    // of the deploy config
  std::string trust_hash;                     // keyed: of the policies under which it was trusted
  std::string plan;                           // StackPlan::str()
  std::vector<std::string> reasons;           // "page: image changed", one for each service that was not kept
  std::map<std::string, std::string> images;  // service -> image id; of a release that became good
  int keep = 5;                               // so many good releases of the stack keep their content
  std::string job_id;
  ReleaseState state = ReleaseState::running;
  std::string message;
  WallTime started_at;
  std::optional<WallTime> finished_at;
  std::optional<StackLoop> loop;  // of a list, in the newest of each stack: how often it was deployed in a row
};

// Which releases are asked for; what is left open, all of it.
struct ReleaseFilter {
  std::string stack;                   // its name
  std::optional<std::string> context;  // "": those on the default engine
};

}  // namespace windlass
