#include "api/body_fault.h"

#include "sys/http_answers.h"

namespace windlass {

std::optional<ServerResponse> unreadable_body(BodyFault fault, std::string_view job_id) {
  constexpr std::string_view error = "failed to decode json in body";
  switch (fault) {
    case BodyFault::none:
      return std::nullopt;
    case BodyFault::timed_out:
      return error_answer(408, error, "i/o timeout", job_id);
    case BodyFault::cut_off:
      return error_answer(400, error, "unexpected EOF", job_id);
    case BodyFault::too_large:
      break;
  }
  auto answer = error_answer(413, error, "http: request body too large", job_id);
  answer.close = true;
  return answer;
}

}  // namespace windlass
