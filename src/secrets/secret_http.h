// Calls to a store of secrets: short, bounded, and tried again when that may help (secrets/B7, E7).
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/result.h"
#include "base/secret.h"
#include "sys/http_client.h"
#include "sys/json.h"

namespace windlass {

class SecretHttp {
 public:
  struct Options {
    int tries = 5;
    std::chrono::milliseconds first_wait{1000};  // doubled each time, and up to half of this on top
    std::chrono::milliseconds try_timeout{15'000};
    std::chrono::seconds retry_after_max{60};  // a store that wants more is asked at another time
  };

  // Both outlive it and its copies.
  SecretHttp(HttpTransport& transport, const Clock& clock) : SecretHttp(transport, clock, Options()) {}
  SecretHttp(HttpTransport& transport, const Clock& clock, Options options)
      : transport_(transport), clock_(clock), options_(options) {}

  // Any status is a good result; 408, 425, 429 and 5xx are tried again first, as connections that fail are. A GET
  // follows redirects within the origin of its URL. Errors are those of the transport, and Kind::denied for a redirect
  // elsewhere: our credentials are not for them.
  Result<HttpResponse> ask(HttpRequest request, const Deadline& deadline) const;

  // ask() and json_answer() in one.
  Result<json::value> ask_json(HttpRequest request, const Deadline& deadline) const;

 private:
  Result<HttpResponse> ask_once(const HttpRequest& request, const Deadline& deadline) const;
  bool wait_before_next(int tried, std::string_view retry_after, const Deadline& deadline) const;

  HttpTransport& transport_;
  const Clock& clock_;
  Options options_;
};

// What a status from 400 on means for the caller: 404 not_found, 401 and 403 denied, what is tried again unavailable,
// the rest invalid.
Kind kind_of_status(int status);

// The JSON of an answer with status 200 to 299; else "GET https://host/path: status 404", without the body.
Result<json::value> json_answer(const HttpRequest& request, const Result<HttpResponse>& response);

// Work on each of the references, up to 8 at a time; the results in their order (secrets/E6).
std::vector<Result<Secret>> for_each_reference(const std::vector<std::string>& references,
                                               const std::function<Result<Secret>(const std::string&)>& fetch);

}  // namespace windlass
