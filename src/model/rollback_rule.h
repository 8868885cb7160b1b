// When a stack that could not be brought to a release goes back to its last good one (deploy key `rollback`;
// deploy/V2).
#pragma once

#include <chrono>
#include <string_view>

namespace windlass {

// How the start of a stack failed.
enum class StartFailure {
  failed,     // the driver could not create or start it, or a container ended
  unhealthy,  // a health check said so
  timeout,    // not all services were ready in time
};
std::string_view to_string(StartFailure failure);

struct RollbackRule {
  bool on_failed = false, on_unhealthy = false, on_timeout = false;  // none: what failed stays for inspection
  int keep = 5;                                                      // good releases whose content is kept
  std::chrono::milliseconds stable_for{10'000};                      // a release is good only after so long

  static RollbackRule always() { return {.on_failed = true, .on_unhealthy = true, .on_timeout = true}; }
  bool enabled() const { return on_failed || on_unhealthy || on_timeout; }
  bool answers(StartFailure failure) const;
  bool operator==(const RollbackRule&) const = default;
};

}  // namespace windlass
