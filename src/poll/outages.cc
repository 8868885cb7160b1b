#include "poll/outages.h"

namespace windlass {

bool Outages::begin(std::size_t source, const std::string& scope, std::string_view error, SteadyTime now) {
  if (scopes_[source] == scope) return false;
  end(source, now);
  scopes_[source] = scope;
  auto& outage = outages_[scope];
  if (++outage.sources > 1) return true;
  outage.since = now;
  log_.warning("polling is held up", {{"by", scope}, {"error", error}});
  return true;
}

bool Outages::end(std::size_t source, SteadyTime now) {
  if (!scopes_[source]) return false;
  const auto outage = outages_.find(*scopes_[source]);
  if (--outage->second.sources == 0) {
    const auto span = std::chrono::round<std::chrono::milliseconds>(now - outage->second.since);
    log_.info("polling goes on", {{"by", outage->first}, {"outage", to_go_duration(span)}});
    outages_.erase(outage);
  }
  scopes_[source].reset();
  return true;
}

}  // namespace windlass
