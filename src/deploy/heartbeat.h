// What a long step says while it lasts.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "base/log.h"
#include "base/recover.h"

namespace windlass {

// Is told once of each phase, as it begins.
using TellPhase = std::function<void(std::string_view phase)>;

// deploy/S19: tells every 5 s what a long deployment is busy with.
class Heartbeat {
 public:
  Heartbeat(const Log& log, std::string phase, TellPhase tell = {},
            std::chrono::milliseconds period = std::chrono::seconds(5))
      : period_(period),
        tell_(std::move(tell)),
        phase_(told(std::move(phase))),
        thread_([this, log](std::stop_token stop) { recovered(log, "heartbeat", [&] { beat(log, stop); }); }) {}
  ~Heartbeat() { thread_.request_stop(); }

  void phase(std::string name) {
    name = told(std::move(name));
    const std::lock_guard lock(mutex_);
    phase_ = std::move(name);
  }

 private:
  std::string told(std::string phase) const {
    if (tell_) tell_(phase);
    return phase;
  }
  void beat(const Log& log, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, stop, period_, [&] { return stop.stop_requested(); }))
      if (!stop.stop_requested()) log.info("deployment in progress", {{"phase", phase_}});
  }

  const std::chrono::milliseconds period_;
  const TellPhase tell_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::string phase_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace windlass
