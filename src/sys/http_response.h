// An answer as bytes.
#pragma once

#include <string>
#include <string_view>

#include "sys/http_server.h"

namespace windlass {

// "Not Found" for 404.
std::string_view reason_phrase(int status);

// Appends status line, header and body; an answer to HEAD has everything but the body.
void append_response(std::string& out, const ServerResponse& response, bool is_head_request, bool keep_alive);

}  // namespace windlass
