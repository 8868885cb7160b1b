// POST /v1/api/plan: what deploying an artifact would do (api/E50).
#pragma once

#include <string>
#include <string_view>

#include "api/release_archive.h"
#include "sys/http_server.h"

namespace windlass {

struct PlanOrder {
  JobRequest request;
  std::string archive;  // "" unless the files came along
};

// What a body {"artifact","target","archive"} asks for, the last a tar archive, compressed with gzip, in base64; or the
// 400, 408 or 413 that says what is wrong with it.
tl::expected<PlanOrder, ServerResponse> plan_order(const ServerRequest& request, std::string_view job_id);

// 200 with the plan, 500 with what a deployment would fail with, 503 where that passes. Takes seconds: not on the
// server's thread.
ServerResponse answer_plan(ReleaseArchive& archive, const PlanOrder& order, std::string_view job_id);

}  // namespace windlass
