// What is done when containers of a stack change by themselves or by somebody else's hand (deploy key
// `reconciliation`; deploy 15).
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace windlass {

struct ReconciliationRule {
  bool enabled = true;
  // Of die, destroy, update, stop, kill, oom and unhealthy.
  std::set<std::string, std::less<>> events = {"unhealthy"};
  int restart_timeout_seconds = 10;  // from the stop signal to SIGKILL
  std::string restart_signal;        // "": the container's own
  int restart_limit = 5;             // restarts and new containers of one service within the window; 0: no limit
  int restart_window_seconds = 300;

  bool answers(std::string_view event) const { return enabled && events.contains(event); }
  bool operator==(const ReconciliationRule&) const = default;
};

// The service is deployed anew; after the others its container is restarted (deploy/E4, E5).
inline bool is_answered_by_redeploy(std::string_view event) {
  return event == "die" || event == "destroy" || event == "update";
}

}  // namespace windlass
