// The REST API as the operator's commands use it (api 1): where the service is, its key, and what it answers.
#pragma once

#include <chrono>
#include <string>

#include "base/result.h"
#include "base/secret.h"
#include "config/settings.h"
#include "sys/http_client.h"
#include "sys/json.h"

namespace windlass {

// The options that all these commands share.
struct ApiOptions {
  std::string url;       // --url; "": WINDLASS_URL, else the service on this machine as its settings have it
  std::string key_file;  // --api-secret-file, "-" is standard input; "": API_SECRET or API_SECRET_FILE
  std::string ca_file;
  bool as_json = false;  // the answer's content as it is
};

class ApiClient {
 public:
  // Kind::invalid: a URL that cannot be, or no key. `transport` must outlive it.
  static Result<ApiClient> make(const ApiOptions& options, const Environment& environment, HttpTransport& transport);

  struct Answer {
    json::value content;
    std::string job_id;
  };
  // `path` begins behind "/v1/api/". Errors are the service's own words with method, URL and status: Kind::not_found
  // for 404, conflict for 409, denied for 401 and 429, invalid for other 4xx, internal for 500; unavailable for the
  // rest.
  Result<Answer> get(const std::string& path) const { return ask("GET", path, "", std::chrono::seconds(30)); }
  Result<Answer> post(const std::string& path, const std::string& body, std::chrono::milliseconds timeout) const {
    return ask("POST", path, body, timeout);
  }
  // What /v1/health says: "healthy", or why not.
  Result<std::string> health() const;

 private:
  ApiClient(std::string base, bool is_here, Secret key, HttpTransport& transport)
      : base_(std::move(base)), is_here_(is_here), key_(std::move(key)), transport_(&transport) {}
  tl::unexpected<Error> not_reached(const Error& error) const;
  HttpRequest request(const std::string& method, const std::string& path) const;
  Result<Answer> ask(const std::string& method, const std::string& path, const std::string& body,
                     std::chrono::milliseconds timeout) const;

  std::string base_;  // without a slash at the end
  bool is_here_;      // localhost: the certificate is the outside name's
  Secret key_;
  HttpTransport* transport_;
};

}  // namespace windlass
