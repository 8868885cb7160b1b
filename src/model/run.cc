#include "model/run.h"

namespace windlass {

std::string_view to_string(RunStatus status) {
  switch (status) {
    case RunStatus::accepted:
      return "accepted";
    case RunStatus::running:
      return "running";
    case RunStatus::succeeded:
      return "succeeded";
    case RunStatus::failed:
      return "failed";
    case RunStatus::skipped:
      return "skipped";
  }
  return "failed";
}

std::string_view to_string(Trigger trigger) {
  switch (trigger) {
    case Trigger::webhook:
      return "webhook";
    case Trigger::poll:
      return "poll";
    case Trigger::scheduled_job:
      return "scheduled_job";
  }
  return "webhook";
}

std::optional<RunStatus> parse_run_status(std::string_view text) {
  for (auto status :
       {RunStatus::accepted, RunStatus::running, RunStatus::succeeded, RunStatus::failed, RunStatus::skipped})
    if (text == to_string(status)) return status;
  return std::nullopt;
}

std::optional<Trigger> parse_trigger(std::string_view text) {
  for (auto trigger : {Trigger::webhook, Trigger::poll, Trigger::scheduled_job})
    if (text == to_string(trigger)) return trigger;
  return std::nullopt;
}

}  // namespace windlass
