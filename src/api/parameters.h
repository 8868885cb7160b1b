// Parameters that several calls share (api/B10 to B12, E2).
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"
#include "sys/http_server.h"

namespace windlass {

// `limit`: 50 when absent, at most 200; or the 400 that says what is wrong with it.
tl::expected<std::size_t, ServerResponse> limit_parameter(std::string_view query, std::string_view job_id);

// `wait`, or the 400.
tl::expected<bool, ServerResponse> wait_parameter(std::string_view query, bool standard, std::string_view job_id);

}  // namespace windlass
