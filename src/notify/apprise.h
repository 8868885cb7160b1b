// Apprise, the service that passes messages on to wherever people read them (api 6.1).
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "base/secret.h"
#include "model/notification_level.h"
#include "sys/http_client.h"

namespace windlass {

class Apprise {
 public:
  struct Options {
    std::string api_url;
    Secret credentials;                             // "user:password" of basic authentication; empty: none
    Secret urls;                                    // of those to tell, as Apprise writes them
    std::chrono::milliseconds try_timeout{10'000};  // A6
    // Between tries, which are one more.
    std::vector<std::chrono::milliseconds> pauses = {std::chrono::seconds(1), std::chrono::seconds(4)};
  };

  Apprise(Options options, HttpTransport& transport) : options_(std::move(options)), transport_(transport) {}

  // Returns when Apprise has answered with any 2xx (A4), the tries are used up, or the deadline has passed. A refusal
  // that will not change (400, 401, 403, 404, …) is not tried again. The message of an error names what was answered,
  // without what may be secret (A5).
  Status send(NotificationLevel level, std::string_view title, std::string_view body, const Deadline& deadline);

 private:
  HttpRequest request(NotificationLevel level, std::string_view title, std::string_view body) const;
  Status send_once(const HttpRequest& request, const Deadline& deadline);

  const Options options_;
  HttpTransport& transport_;
};

}  // namespace windlass
