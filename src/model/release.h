// A release: what a stack was last brought to (deploy/V1).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/digest.h"

namespace windlass {

enum class ReleaseState { running, succeeded, failed };
std::string_view to_string(ReleaseState state);

// What the containers of one service are made from, part by part: name of the part -> keyed hash of its value.
// Equal parts, equal containers (deploy/N4, N9).
using ServiceInputs = std::map<std::string, std::string>;

struct Release {
  std::string id;  // UUIDv7; containers carry it as label cd.windlass.release
  std::string stack;
  std::string source_id;  // canonical host/path
  std::string ref;
  std::string target;
  std::string digest;
  std::string config_hash;  // of the deploy config
  std::string plan;         // StackPlan::str()
  std::string trigger;
  std::string job_id;
  ReleaseState state = ReleaseState::running;
  std::string message;
  WallTime started_at;
  std::optional<WallTime> finished_at;
};

}  // namespace windlass
