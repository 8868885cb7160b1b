// The failed runs that people have been told of, so that a kill between a job's end and its notification loses nothing:
// the next start tells what the history has and this list has not (reliability/F12).
//
// Used by one thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"
#include "sys/sqlite.h"

namespace windlass {

class ToldRuns {
 public:
  static constexpr std::size_t kKeptMax = 1000;     // entries, the newest
  static constexpr std::size_t kLookedAtMax = 100;  // failed runs of an earlier life, the newest

  // Creates its table if it is not there. The connection must outlive it.
  static Result<ToldRuns> open(Db& db);
  // While nobody is told, nothing is missed: the next open() begins anew.
  static Status forget(Db& db);

  // Nobody was told before: what failed until now is nobody's news.
  bool is_new() const { return is_new_; }
  Result<bool> contains(const std::string& job_id);
  Status add(const std::vector<std::string>& job_ids);

 private:
  explicit ToldRuns(Db& db) : db_(&db) {}

  Db* db_;
  bool is_new_ = false;
};

}  // namespace windlass
