// How containers ended, as far as one event of the engine does not tell: `destroy` has no exit code, `die` no signal,
// and when `kill` comes the container still runs, for good perhaps.
//
// A container has finished that ended with 0 without a signal. Of a service that need not run, it is not missed
// (deploy/N17).
#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>

#include "docker/engine.h"

namespace windlass {

class Endings {
 public:
  static constexpr std::size_t kKnownMax = 10'000;  // containers; finished ones are removed some day

  static constexpr std::chrono::minutes kStopsWithin{10};  // a signal that was not to end it is forgotten

  // Returns whether this is the end of a container that was sent a signal.
  bool hear(const EngineEvent& event);
  // Nobody listened when it ended.
  void set_finished(const std::string& container_id);
  bool has_finished(const std::string& container_id) const { return finished_.contains(container_id); }
  // It was removed, and that has been dealt with.
  void forget(const std::string& container_id);

 private:
  std::map<std::string, std::int64_t> signalled_;  // when, by the engine's clock, in ns
  std::set<std::string> finished_;
};

}  // namespace windlass
