// The runs of the history: GET /v1/api/runs and /v1/api/run/{id} (api 2.1).
#pragma once

#include <string>
#include <string_view>

#include "jobs/queue.h"
#include "sys/http_server.h"

namespace windlass {

// The filter that a query asks for, or the 400 that says what is wrong with it (api/E2 to E4).
tl::expected<JobQueue::RunFilter, ServerResponse> run_filter(std::string_view query, std::string_view job_id);

// Both read the state file: not on the server's thread. `job_id` is the id of this request.
ServerResponse list_runs(JobQueue& queue, const JobQueue::RunFilter& filter, std::string_view job_id);
ServerResponse show_run(JobQueue& queue, const std::string& run_id, std::string_view job_id);

}  // namespace windlass
