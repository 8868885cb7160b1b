// What a process and its helper tell each other when the container that the process runs in may be made anew
// (deploy/U2).
//
// Files, not the state file: the new process may be of another version and changes that as soon as it starts. Each file
// has one writer, is replaced as a whole, and means nothing for an order of another id, nor when it is damaged.
// Whatever has the data folder can write them: what they say is checked where it matters (app/take_over.h,
// own_stack_driver.h).
//
//   order   by the old process: what is to be brought up, sealed with a key that only the helper's environment has
//   taken   by a new process that works, in a container of its own
//   result  by the helper: how it ended
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/secret.h"
#include "driver/driver.h"
#include "sys/json.h"

namespace windlass {

inline constexpr const char* kHandoverKeyVariable = "WINDLASS_HANDOVER_KEY";

// What anybody may read of an order.
struct HandoverNote {
  std::string order;          // UpOptions::own_order
  int number = 1;             // of helpers that have tried
  std::string helper;         // name of its container
  std::string own_container;  // id of the one that gives the order

  // Of this very try.
  std::string id() const;
};

struct HandoverOrder {
  HandoverNote note;
  ResolvedStack stack;
  UpOptions options;
  json::object own;                      // the own container as the engine describes it
  std::chrono::seconds up_timeout{0};    // for compose
  std::chrono::seconds take_timeout{0};  // from then until the new process works
  std::string host_data_dir;             // DATA_MOUNT_PATH as the engine's host sees it
};

class Handover {
 public:
  explicit Handover(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // Replaces the order before and removes what was said of it. `key`: only for this order.
  Status give(const HandoverOrder& order, const Secret& key) const;
  // The last order; nothing if there is none.
  Result<std::optional<HandoverNote>> note() const;
  // Kind::invalid with another key than that of the last order.
  Result<HandoverOrder> order(const Secret& key) const;
  // What it was to bring up is not needed any more.
  Status forget_content() const;

  Status take(const HandoverNote& note) const;
  bool is_taken(const HandoverNote& note) const;

  struct End {
    std::optional<Error> error;    // why it could not be done; nothing: it is done
    bool must_bring_back = false;  // nobody works: the helper has the old container to make again
  };
  Status end(const HandoverNote& note, const End& end) const;
  // Nothing while the helper is at work, or was killed.
  Result<std::optional<End>> result(const HandoverNote& note) const;

 private:
  Result<std::optional<json::object>> read(const char* name) const;
  Status write(const char* name, const json::object& object) const;

  std::filesystem::path folder_;
};

}  // namespace windlass
