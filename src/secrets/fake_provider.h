// A store of secrets for tests: values in memory, a record of what was asked.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "secrets/secret_provider.h"

namespace windlass {

struct FakeProvider final : SecretProvider {
  struct State {
    std::mutex mutex;
    std::map<std::string, std::string> values;    // by reference
    std::optional<Error> outage;                  // instead of any answer
    std::vector<std::vector<std::string>> asked;  // references of each call
  };
  // The provider belongs to whoever asks it, the state to the test.
  explicit FakeProvider(State& state) : state(state) {}
  State& state;

  // References that begin so.
  bool is_one_time(const std::string& reference) const override { return reference.starts_with("otp-"); }

  std::vector<Result<Secret>> fetch(const std::vector<std::string>& references, const Deadline&) override {
    const std::lock_guard lock(state.mutex);
    state.asked.push_back(references);
    std::vector<Result<Secret>> results;
    for (const auto& reference : references) {
      const auto found = state.values.find(reference);
      if (state.outage)
        results.push_back(tl::unexpected(*state.outage));
      else if (found == state.values.end())
        results.push_back(fail(Kind::not_found, ""));
      else
        results.push_back(Secret(found->second));
    }
    return results;
  }
};

}  // namespace windlass
