// A request body that did not come in.
#pragma once

#include <optional>
#include <string_view>

#include "sys/http_server.h"

namespace windlass {

// The 413, 408 or 400 for it; nothing: it did.
std::optional<ServerResponse> unreadable_body(BodyFault fault, std::string_view job_id);

}  // namespace windlass
