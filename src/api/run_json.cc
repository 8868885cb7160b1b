#include "api/run_json.h"

#include "api/json_fields.h"
#include "base/text.h"
#include "sys/json.h"

namespace windlass {
namespace {

json::object stack_object(const StackResult& stack) {
  return {{"name", proper(stack.name)},
          {"context", proper(stack.context)},
          {"status", to_string(stack.status)},
          {"message", proper(stack.message)}};
}

json::object run_object(const RunRecord& run) {
  json::object object{{"job_id", run.job_id}, {"trigger", to_string(run.trigger)}, {"status", to_string(run.status)}};
  add_if_set(object, "repository", run.repository);
  add_if_set(object, "target", trim(run.target));
  add_if_set(object, "revision", run.revision);
  add_if_set(object, "message", trim(run.message));
  object["created_at"] = to_rfc3339(run.created_at);
  add_if_set(object, "started_at", run.started_at);
  add_if_set(object, "finished_at", run.finished_at);
  object["updated_at"] = to_rfc3339(run.updated_at);
  // api/N7
  add_if_set(object, "source", run.source);
  add_if_set(object, "phase", run.phase);
  if (run.attempts > 0) object["attempts"] = run.attempts;
  if (!run.stacks.empty()) {
    json::array stacks;
    for (const auto& stack : run.stacks) stacks.push_back(stack_object(stack));
    object["stacks"] = std::move(stacks);
  }
  add_if_set(object, "parent", run.parent);
  add_if_set(object, "cause", run.cause);
  return object;
}

}  // namespace

std::string to_json(const RunRecord& run) { return json::serialize(run_object(run)); }

std::string to_json(const std::vector<RunRecord>& runs) {
  json::array array;
  for (const auto& run : runs) array.push_back(run_object(run));
  return json::serialize(array);
}

}  // namespace windlass
