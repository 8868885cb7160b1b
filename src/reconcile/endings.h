// Which containers have done their work: they ended with 0, and nobody had sent them a signal. Of a service that need
// not run, such a one is not missed (deploy/N17), and nothing in the engine's later events tells: `destroy` has no exit
// code.
#pragma once

#include <set>
#include <string>

#include "docker/engine.h"

namespace windlass {

class Endings {
 public:
  static constexpr std::size_t kKnownMax = 10'000;  // containers; finished ones are removed some day

  void hear(const EngineEvent& event);
  // Nobody listened when it ended.
  void set_finished(const std::string& container_id);
  bool has_finished(const std::string& container_id) const { return finished_.contains(container_id); }
  // It was removed, and that has been dealt with.
  void forget(const std::string& container_id);

 private:
  std::set<std::string> signalled_, finished_;
};

}  // namespace windlass
