#include "cli/healthcheck.h"

#include <fmt/format.h>

#include "base/text.h"

namespace windlass {
namespace {

std::string variable(const Environment& environment, const std::string& name, const std::string& otherwise) {
  const auto found = environment.find(name);
  return found == environment.end() || found->second.empty() ? otherwise : found->second;
}

}  // namespace

int healthcheck(const Environment& environment, HttpTransport& transport, const Log& log) {
  const bool tls = !trim(variable(environment, "HTTP_TLS_CERT_FILE", "")).empty();
  HttpRequest request;
  request.url =
      fmt::format("{}://localhost:{}/v1/health", tls ? "https" : "http", variable(environment, "HTTP_PORT", "80"));
  request.tls.verify = false;  // the certificate is the outside name's
  request.use_proxy = false;
  auto answer = transport.send(request, Deadline::in(std::chrono::seconds(5)));
  if (answer && answer->status == 200) {
    log.info("health check successful", {{"url", request.url}});
    return 0;
  }
  log.critical("health check failed", {{"url", request.url},
                                       {"error", answer ? fmt::format("status {}: {}", answer->status, answer->body)
                                                        : answer.error().message}});
  return 1;
}

}  // namespace windlass
