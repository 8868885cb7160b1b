// How often containers of a service were restarted lately, so that one that never gets well is not restarted for ever
// (deploy/E9). On disk: a restart of windlass does not begin the count anew (E10).
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/result.h"
#include "model/reconciliation_rule.h"
#include "model/stack_id.h"
#include "sys/sqlite.h"

namespace windlass {

class RestartLog {
 public:
  // Creates its table if it is not there, and forgets what is older than a week.
  static Result<std::unique_ptr<RestartLog>> open(std::unique_ptr<Db> db, WallTime now);

  struct Verdict {
    bool is_allowed = true;
    bool is_news = false;               // the first refusal within the window
    std::chrono::milliseconds wait{0};  // so long a refusal holds
  };
  // May a container of the service be restarted now? If so, it counts as restarted.
  Result<Verdict> ask(const StackId& stack, const std::string& service, const ReconciliationRule& rule, WallTime now);

 private:
  explicit RestartLog(std::unique_ptr<Db> db) : db_(std::move(db)) {}

  std::mutex mutex_;  // of what follows
  std::unique_ptr<Db> db_;
  std::map<std::pair<std::string, std::string>, WallTime> refused_;  // when that was told last
};

}  // namespace windlass
