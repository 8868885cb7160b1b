// The operator's commands that ask the running service (api/L3b): runs, history, status, rollback.
//
// Each gives the exit code: 0 done, 1 the service said no or does not answer, 2 wrong usage. Standard output gets what
// was asked for, standard error what went wrong.
#pragma once

#include <cstddef>
#include <string>

#include "cli/api_client.h"
#include "config/settings.h"
#include "sys/http_client.h"

namespace windlass {

struct RunsCommand {
  ApiOptions api;
  std::string job_id;  // one run, with all it has; "": the list
  std::string status, trigger;
  std::size_t limit = 20;
};
struct HistoryCommand {
  ApiOptions api;
  std::string stack;
  std::string context;  // Docker context, "default" for the default engine; "": wherever the stack is
  std::size_t limit = 20;
};
struct StatusCommand {
  ApiOptions api;
};
struct RollbackCommand {
  ApiOptions api;
  std::string stack;
  std::string context;           // as of HistoryCommand; a stack of several must be told apart
  std::string to;                // id of a release, or how it begins; "": the last good one that is not what runs
  bool is_dry = false;           // only says which
  bool returns_at_once = false;  // does not wait for the end
};

int show_runs(const RunsCommand& command, const Environment& environment, HttpTransport& transport);
int show_history(const HistoryCommand& command, const Environment& environment, HttpTransport& transport);
int show_status(const StatusCommand& command, const Environment& environment, HttpTransport& transport);
int roll_back(const RollbackCommand& command, const Environment& environment, HttpTransport& transport);

}  // namespace windlass
