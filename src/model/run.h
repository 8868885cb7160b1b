// The record of one job as people and the REST API see it (api 3).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace windlass {

enum class RunStatus { accepted, running, succeeded, failed, skipped };  // complete on the wire (webhook 12)
enum class Trigger { webhook, poll, scheduled_job };

std::string_view to_string(RunStatus status);
std::string_view to_string(Trigger trigger);
// Exact lower-case names only.
std::optional<RunStatus> parse_run_status(std::string_view text);
std::optional<Trigger> parse_trigger(std::string_view text);
inline bool is_final(RunStatus status) {
  return status == RunStatus::succeeded || status == RunStatus::failed || status == RunStatus::skipped;
}

// What became of one stack of the job.
struct StackResult {
  std::string name;
  std::string context;  // Docker context, empty: the default
  RunStatus status = RunStatus::succeeded;
  std::string message;
};

struct RunRecord {
  std::string job_id;
  Trigger trigger = Trigger::webhook;
  RunStatus status = RunStatus::accepted;
  std::string repository;  // full name without host; "unknown" before parsing
  std::string source;      // canonical host/path
  std::string target;
  std::string revision;  // "<ref> (<digest>)" or one of the two
  std::string message;
  std::string phase;   // of a running one: what it does now, "web: pulling images"
  std::string cause;   // "retry", "rollback", … ; empty: the trigger itself
  std::string parent;  // job id this one belongs to
  int attempts = 0;
  std::vector<StackResult> stacks;
  WallTime created_at;
  WallTime updated_at;
  std::optional<WallTime> started_at;
  std::optional<WallTime> finished_at;
};

}  // namespace windlass
