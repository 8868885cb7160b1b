// The signals that the service obeys: SIGTERM and SIGINT end it (api 9), SIGHUP has the settings read again.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

#include "base/log.h"

namespace windlass {

class Signals {
 public:
  struct Orders {  // both return at once
    std::function<void()> stop;
    std::function<void()> reload;
  };

  // Before any thread begins: every thread inherits it, so that only the one made here gets signals.
  static void block();

  // Obeys from now on. The first order to stop is passed on; a second one, later than a moment, ends the process with
  // exit code 1: every answered job is on disk already (api/Z7). Once it stops, reloading is over.
  Signals(Orders orders, Log log);
  // Nobody has to wait for signals any more.
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  void obey();

  const Orders orders_;
  const Log log_;
  std::atomic<bool> finished_ = false;
  std::jthread thread_;
};

}  // namespace windlass
