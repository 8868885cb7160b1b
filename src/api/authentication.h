// The API key: checked in constant time, guessing slowed down (api/B3, B4).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/secret.h"
#include "sys/http_server.h"
#include "sys/rate_limit.h"

namespace windlass {

// Not thread-safe: one thread asks.
class ApiKeyCheck {
 public:
  explicit ApiKeyCheck(const Secret& secret) { use(secret); }

  // In place of the key until now; who has failed too often stays so.
  void use(const Secret& secret);

  // Nothing when the request carries the key; else 401, or 429 after 10 failures of that address within a minute.
  std::optional<ServerResponse> refusal(const ServerRequest& request, std::string_view address, SteadyTime now,
                                        std::string_view job_id);

 private:
  std::string key_hash_;
  RateLimit failures_{10, std::chrono::minutes(1)};
};

}  // namespace windlass
