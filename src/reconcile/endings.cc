#include "reconcile/endings.h"

namespace windlass {
namespace {

template <class Known>
void make_room(Known& known) {
  if (known.size() >= Endings::kKnownMax) known.erase(known.begin());
}

}  // namespace

bool Endings::hear(const EngineEvent& event) {
  const auto& id = event.container_id;
  if (event.action == "start") forget(id);
  if (event.action == "kill") {
    make_room(signalled_);
    signalled_[id] = event.time_ns;
  }
  if (event.action != "die") return false;
  finished_.erase(id);  // whoever looked before this was heard could not know better
  const auto signal = signalled_.extract(id);
  const bool was_told_to =
      !signal.empty() && event.time_ns - signal.mapped() <= std::chrono::nanoseconds(kStopsWithin).count();
  const auto code = event.attributes.find("exitCode");
  if (code != event.attributes.end() && code->second == "0" && !was_told_to) set_finished(id);
  return was_told_to;
}

void Endings::set_finished(const std::string& container_id) {
  make_room(finished_);
  finished_.insert(container_id);
}

void Endings::forget(const std::string& container_id) {
  signalled_.erase(container_id);
  finished_.erase(container_id);
}

}  // namespace windlass
