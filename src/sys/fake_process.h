// A ProcessRunner for tests: answers by a function, records what was asked. Several threads may ask.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "sys/process.h"

namespace windlass {

struct FakeProcessRunner final : ProcessRunner {
  std::function<Result<Exit>(const Command&)> answer = [](const Command&) { return Exit{}; };
  std::vector<Command> ran;  // in order

  Result<Exit> run(const Command& command, const Deadline&) override {
    {
      const std::lock_guard lock(mutex_);
      ran.push_back(command);
    }
    return answer(command);
  }

 private:
  std::mutex mutex_;  // guards ran while it is asked
};

}  // namespace windlass
