// The same failure of the same thing is told once an interval (api 6.4, A22 to A32).
//
// On disk: a restart of windlass tells nothing again (A29). Used by one thread.
#pragma once

#include <chrono>
#include <set>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "notify/message.h"
#include "sys/sqlite.h"

namespace windlass {

// Whom failures are counted by: "repository|target|stack|context".
std::string repeat_key(const MessageContext& about);

class Repeats {
 public:
  // Creates its table if it is not there, and forgets what an interval of 0 or less, or age, makes useless. The
  // connection must outlive it.
  static Result<Repeats> open(Db& db, std::chrono::milliseconds interval, WallTime now);

  // Was this failure the last one told of its key, less than an interval ago?
  Result<bool> is_repeat(const Message& failure, WallTime now);
  // It has been delivered (A30).
  Status delivered(const Message& failure, WallTime now);
  // What the key stands for is well again (A28, A31): the next failure is news.
  Status clear(const std::string& key);

 private:
  Repeats(Db& db, std::chrono::milliseconds interval) : db_(&db), interval_(interval) {}
  Status forget_old(WallTime now);

  Db* db_;
  std::chrono::milliseconds interval_;
  std::set<std::string> keys_;  // in the table: most that are cleared are not
};

}  // namespace windlass
