// What a long step says while it lasts.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "base/log.h"
#include "base/recover.h"

namespace windlass {

// deploy/S19: tells every 5 s what a long deployment is busy with.
class Heartbeat {
 public:
  Heartbeat(const Log& log, std::string phase, std::chrono::milliseconds period = std::chrono::seconds(5))
      : period_(period),
        phase_(std::move(phase)),
        thread_([this, log](std::stop_token stop) { recovered(log, "heartbeat", [&] { beat(log, stop); }); }) {}
  ~Heartbeat() { thread_.request_stop(); }

  void phase(std::string name) {
    const std::lock_guard lock(mutex_);
    phase_ = std::move(name);
  }

 private:
  void beat(const Log& log, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, stop, period_, [&] { return stop.stop_requested(); }))
      if (!stop.stop_requested()) log.info("deployment in progress", {{"phase", phase_}});
  }

  const std::chrono::milliseconds period_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::string phase_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace windlass
