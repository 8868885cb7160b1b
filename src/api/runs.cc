#include "api/runs.h"

#include <fmt/format.h>

#include "api/parameters.h"
#include "api/run_json.h"
#include "base/text.h"
#include "sys/http_answers.h"
#include "sys/query.h"

namespace windlass {

tl::expected<JobQueue::RunFilter, ServerResponse> run_filter(std::string_view query, std::string_view job_id) {
  const auto refused = [&](std::string_view error, std::string_view content) {
    return tl::unexpected(error_answer(400, error, content, job_id));
  };
  const auto parameter = [&](std::string_view key) { return query_value(query, key).value_or(""); };

  JobQueue::RunFilter filter;
  auto limit = limit_parameter(query, job_id);
  if (!limit) return tl::unexpected(std::move(limit.error()));
  filter.limit = *limit;
  if (const auto status = lower(trim(parameter("status"))); !status.empty()) {
    filter.status = parse_run_status(status);
    if (!filter.status)
      return refused("invalid deployment run status",
                     "valid status values: accepted, running, succeeded, failed, skipped");
  }
  if (const auto trigger = lower(trim(parameter("trigger"))); !trigger.empty()) {
    filter.trigger = parse_trigger(trigger);
    if (!filter.trigger)
      return refused("invalid deployment run trigger", "valid trigger values: webhook, poll, scheduled_job");
  }
  return filter;
}

ServerResponse list_runs(JobQueue& queue, const JobQueue::RunFilter& filter, std::string_view job_id) {
  const auto runs = queue.runs(filter);
  if (!runs) return error_answer(500, "failed to read runs", runs.error().message, job_id);
  return json_answer(200, to_json(*runs), job_id);
}

ServerResponse show_run(JobQueue& queue, const std::string& run_id, std::string_view job_id) {
  const auto run = queue.run(run_id);
  if (!run) return error_answer(500, "failed to read runs", run.error().message, job_id);
  if (!*run) return error_answer(404, fmt::format("run not found: {}", printable(run_id, 128)), "", job_id);
  return json_answer(200, to_json(**run), job_id);
}

}  // namespace windlass
