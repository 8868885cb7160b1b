// A ProcessRunner for tests: answers by a function, records what was asked.
#pragma once

#include <functional>
#include <vector>

#include "sys/process.h"

namespace windlass {

struct FakeProcessRunner final : ProcessRunner {
  std::function<Result<Exit>(const Command&)> answer = [](const Command&) { return Exit{}; };
  std::vector<Command> ran;  // in order

  Result<Exit> run(const Command& command, const Deadline&) override {
    ran.push_back(command);
    return answer(command);
  }
};

}  // namespace windlass
