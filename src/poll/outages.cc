#include "poll/outages.h"

namespace windlass {

bool Outages::begin(std::size_t source, const std::string& scope, std::string_view error, SteadyTime now) {
  if (const auto known = scopes_.find(source); known != scopes_.end() && known->second == scope) return false;
  end(source, now);
  scopes_[source] = scope;
  auto& outage = outages_[scope];
  if (++outage.sources > 1) return true;
  outage.since = now;
  log_.warning("polling is held up", {{"by", scope}, {"error", error}});
  return true;
}

bool Outages::end(std::size_t source, SteadyTime now) {
  const auto scope = scopes_.find(source);
  if (scope == scopes_.end()) return false;
  const auto outage = outages_.find(scope->second);
  if (outage->second.sources == 1) {
    const auto span = std::chrono::round<std::chrono::milliseconds>(now - outage->second.since);
    log_.info("polling goes on", {{"by", outage->first}, {"outage", to_go_duration(span)}});
  }
  forget(source);
  return true;
}

void Outages::forget(std::size_t source) {
  const auto scope = scopes_.find(source);
  if (scope == scopes_.end()) return;
  const auto outage = outages_.find(scope->second);
  if (--outage->second.sources == 0) outages_.erase(outage);
  scopes_.erase(scope);
}

}  // namespace windlass
