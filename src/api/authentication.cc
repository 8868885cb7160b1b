#include "api/authentication.h"

#include "sys/crypto.h"
#include "sys/http_answers.h"

namespace windlass {

void ApiKeyCheck::use(const Secret& secret) { key_hash_ = sha256_hex(secret.reveal()); }

std::optional<ServerResponse> ApiKeyCheck::refusal(const ServerRequest& request, std::string_view address,
                                                   SteadyTime now, std::string_view job_id) {
  // Even the right key has to wait, or guessing would go on at full speed; but not for what others did.
  const bool is_right = equal_constant_time(sha256_hex(request.header("X-Api-Key")), key_hash_);
  if (is_right ? failures_.has_exhausted_its_own(address, now) : failures_.is_exhausted(address, now)) {
    auto answer = error_answer(429, "too many failed attempts", "retry later", job_id);
    answer.headers.push_back({"Retry-After", "60"});
    return answer;
  }
  if (is_right) return std::nullopt;
  failures_.count(address, now);
  return error_answer(401, "invalid api key", "", job_id);
}

}  // namespace windlass
