#include "reconcile/endings.h"

namespace windlass {
namespace {

void keep(std::set<std::string>& ids, const std::string& id) {
  if (ids.size() >= Endings::kKnownMax) ids.erase(ids.begin());
  ids.insert(id);
}

}  // namespace

void Endings::hear(const EngineEvent& event) {
  const auto& id = event.container_id;
  if (event.action == "start") return forget(id);
  if (event.action == "kill") return keep(signalled_, id);
  if (event.action != "die") return;
  const auto code = event.attributes.find("exitCode");
  const bool was_told_to = signalled_.erase(id) > 0;
  finished_.erase(id);  // whoever looked before this was heard could not know better
  if (code != event.attributes.end() && code->second == "0" && !was_told_to) keep(finished_, id);
}

void Endings::set_finished(const std::string& container_id) { keep(finished_, container_id); }

void Endings::forget(const std::string& container_id) {
  signalled_.erase(container_id);
  finished_.erase(container_id);
}

}  // namespace windlass
