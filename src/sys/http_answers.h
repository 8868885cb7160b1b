// The answers that every route shares: JSON with the fixed headers and key order (webhook/T6, T7; api/B5, B6).
#pragma once

#include <string>
#include <string_view>

#include "sys/http_server.h"

namespace windlass {

// {"content":<text>,"job_id":…}
ServerResponse text_answer(int status, std::string_view content, std::string_view job_id);
// {"content":<json, as it is>,"job_id":…}
ServerResponse json_answer(int status, std::string_view content_json, std::string_view job_id);
// {"error":…,"content":…,"job_id":…}
ServerResponse error_answer(int status, std::string_view error, std::string_view content, std::string_view job_id);

// The same with content that is JSON already.
ServerResponse error_json_answer(int status, std::string_view error, std::string_view content_json,
                                 std::string_view job_id);

// 404 "404 page not found\n" as plain text, what a path that is no route gets (webhook/A1, api/B2).
ServerResponse page_not_found();

}  // namespace windlass
