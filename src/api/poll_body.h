// The body of POST /v1/api/poll/run as requests for jobs (api/E6 to E9).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/job.h"
#include "sys/http_server.h"

namespace windlass {

struct PollBody {
  std::vector<JobRequest> requests;   // at least one
  std::vector<std::string> warnings;  // unknown keys
};

// The requests, or the answer that says what is wrong. Every entry is judged before that; `strict`: an unknown key is a
// fault.
tl::expected<PollBody, ServerResponse> read_poll_body(std::string_view body, bool strict, std::string_view job_id);

}  // namespace windlass
