// The values of the external secrets of stacks: asks the provider, for distinct references only, and keeps in memory
// what it last said (secrets/E5 to E12).
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/log.h"
#include "base/result.h"
#include "base/secret.h"
#include "model/secret_reference.h"
#include "secrets/secret_provider.h"

namespace windlass {

constexpr std::string_view kNoProvider = "external_secrets needs SECRET_PROVIDER";  // secrets/E3

// What the provider said of each reference.
using SecretAnswers = std::map<std::string, Result<Secret>>;

class SecretResolver {
 public:
  struct Options {
    std::chrono::milliseconds refresh_interval = std::chrono::minutes(5);  // SECRET_REFRESH_INTERVAL
    std::chrono::milliseconds ask_timeout = std::chrono::minutes(2);       // of all references together (secrets/E8)
  };

  // `provider`: null when none is set up; then every reference fails with kNoProvider.
  SecretResolver(Options options, std::unique_ptr<SecretProvider> provider, const Clock& clock, Log log);

  bool is_set_up() const { return provider() != nullptr; }
  // As SecretProvider says.
  bool is_one_time(const std::string& reference) const {
    const auto asked = provider();
    return asked != nullptr && asked->is_one_time(reference);
  }

  // Asks this one from now on, and forgets what the one before has said.
  void use(std::unique_ptr<SecretProvider> provider);

  // Asks now. Values are masked in the log from then on.
  SecretAnswers fetch(const std::set<std::string>& references, const Deadline& deadline);

  // What was said within SECRET_REFRESH_INTERVAL, else asks. An answer that could not be had counts as well: it is told
  // once, and a store that is away is not asked at every poll.
  SecretAnswers recent(const std::set<std::string>& references, const Deadline& deadline);

  // Has each of them given a value to a question that was asked after `then`?
  bool has_said_since(const std::set<std::string>& references, WallTime then) const;

  // As fetch(), but where the store cannot be asked the last value that this process knows, with a warning: for a
  // release that comes back (secrets/B5).
  SecretAnswers fetch_or_last(const std::set<std::string>& references, const Deadline& deadline);

 private:
  struct Known {
    std::optional<Secret> value;  // the last one
    std::optional<Error> error;   // of the last question, if it brought none
    SteadyTime asked_at;
  };

  std::shared_ptr<SecretProvider> provider() const;
  void keep(const SecretAnswers& answers, const SecretProvider& provider);
  void mask(const Secret& value) const;

  const Options options_;
  const Clock& clock_;
  const Log log_;
  mutable std::mutex mutex_;  // guards what follows
  std::shared_ptr<SecretProvider> provider_;
  std::map<std::string, Known> known_;  // by reference
};

// The values of one stack's variables. Kind and message of what is missing: "secret not found: NAME (reference)", or
// "external secret NAME (reference): <cause>", all of them joined; Kind::unavailable only if nothing else is wrong.
Result<SecretValues> secret_values(const SecretReferences& references, const SecretAnswers& answers);

}  // namespace windlass
