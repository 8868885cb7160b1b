// What is polled: POLL_CONFIG, POLL_CONFIG_FILE and the body of POST /v1/api/poll/run (config 11).
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/yaml.h"

namespace windlass {

struct PollConfig {
  std::string url;                     // the artifact's reference as written, trimmed
  std::chrono::seconds interval{180};  // 0: never by itself
  std::string target;                  // of the deploy config
  bool run_once = false;               // one run at start, then never again
  std::string deployments;             // inline, as canonical JSON; "": those of the artifact

  bool operator==(const PollConfig&) const = default;
};

// Says why a text is no reference to an artifact. The grammar is not this folder's (oci 1).
using ArtifactCheck = std::function<Status(std::string_view)>;

enum class PollOrigin {
  settings,  // an interval below 10 s is a fault
  request,   // runs once whatever it says about intervals (api/E6)
};

struct PollFaults {
  std::vector<std::string> undecodable;  // a value of the wrong type
  std::vector<std::string> invalid;      // a value that breaks a rule
  std::vector<std::string> warnings;     // unknown keys, an interval that is left open

  bool any() const { return !undecodable.empty() || !invalid.empty(); }
};

// One entry of the list. `place` is what faults are told by: "POLL_CONFIG", to which a line is added if there is one.
PollConfig decode_poll_config(const YamlNode& entry, std::string_view place, PollOrigin origin,
                              const ArtifactCheck& is_artifact, PollFaults& faults);

// The whole list of a setting; every fault of every entry is found. Entries that are equal earn a warning.
std::vector<PollConfig> read_poll_configs(std::string_view text, std::string_view variable,
                                          const ArtifactCheck& is_artifact, PollFaults& faults);

}  // namespace windlass
