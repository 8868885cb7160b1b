#include "cli/api_client.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/secrets.h"
#include "cli/table.h"
#include "sys/url.h"

namespace windlass {
namespace {

std::string variable(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : std::string(trim(found->second));
}

std::string local_url(const Environment& environment) {
  const auto port = variable(environment, "HTTP_PORT");
  const bool tls = !variable(environment, "HTTP_TLS_CERT_FILE").empty();
  return fmt::format("{}://localhost:{}", tls ? "https" : "http", port.empty() ? "80" : port);
}

Kind kind_of(int status) {
  switch (status) {
    case 401:
    case 403:
    case 429:
      return Kind::denied;
    case 404:
      return Kind::not_found;
    case 409:
      return Kind::conflict;
    case 500:
      return Kind::internal;
    default:
      return status >= 400 && status < 500 ? Kind::invalid : Kind::unavailable;
  }
}

// "invalid api key", "deployment failed: service web: …"
std::string words_of(const json::value& body, std::string_view raw) {
  const auto* object = body.if_object();
  const auto error = object != nullptr ? text_of(*object, "error") : std::string_view();
  if (error.empty()) return printable(trim(raw), 400);
  const auto* content = object->if_contains("content");
  std::string reason;
  if (content != nullptr)
    reason = content->is_string() ? std::string(content->get_string()) : json::serialize(*content);
  return shown_lines(reason.empty() ? std::string(error) : fmt::format("{}: {}", error, reason));
}

}  // namespace

Result<ApiClient> ApiClient::make(const ApiOptions& options, const Environment& environment, HttpTransport& transport) {
  auto url = options.url.empty() ? variable(environment, "WINDLASS_URL") : options.url;
  const bool is_here = url.empty();
  if (is_here) url = local_url(environment);
  while (url.ends_with('/')) url.pop_back();
  if (const auto parsed = parse_url(url); !parsed) return while_doing(fmt::format("URL '{}'", url), parsed.error());
  auto key = api_secret(options.key_file, environment);
  if (!key) return while_doing("API secret", key.error());
  return ApiClient(std::move(url), is_here, *std::move(key), transport);
}

// Method and URL are told by the transport.
tl::unexpected<Error> ApiClient::not_reached(const Error& error) const {
  if (!is_here_) return tl::unexpected(error);
  return fail(error.kind, error.message + "; --url or WINDLASS_URL says where the service is");
}

HttpRequest ApiClient::request(const std::string& method, const std::string& path) const {
  HttpRequest request{.method = method, .url = base_ + path};
  request.tls.verify = !is_here_;
  request.use_proxy = !is_here_;
  request.body_bytes_max = 64u << 20;
  return request;
}

Result<ApiClient::Answer> ApiClient::ask(const std::string& method, const std::string& path,
                                         const std::string& body_text, std::chrono::milliseconds timeout) const {
  auto request = this->request(method, "/v1/api/" + path);
  request.headers.push_back({"x-api-key", key_.reveal()});
  request.body = body_text;
  request.header_timeout = timeout;
  const auto doing = fmt::format("{} {}", method, request.url);
  const auto response = transport_->send(request, Deadline::in(timeout));
  if (!response) return not_reached(response.error());
  auto body = parse_json(response->body);
  if (response->status == 404 && !body)
    return fail(Kind::not_found, fmt::format("{}: 404: no REST API there: is API_SECRET set for the service?", doing));
  if (response->status >= 300)
    return fail(kind_of(response->status), fmt::format("{}: {}: {}", doing, response->status,
                                                       words_of(body ? *body : json::value(), response->body)));
  if (!body || !body->is_object() || !body->get_object().contains("content"))
    return fail(Kind::invalid, fmt::format("{}: the answer is not one of windlass", doing));
  auto& object = body->get_object();
  return Answer{.content = object.at("content"), .job_id = std::string(text_of(object, "job_id"))};
}

Result<std::string> ApiClient::health() const {
  const auto request = this->request("GET", "/v1/health");
  const auto response = transport_->send(request, Deadline::in(std::chrono::seconds(5)));
  if (!response) return not_reached(response.error());
  if (response->status == 200) return std::string("healthy");
  const auto body = parse_json(response->body);
  return "not healthy: " + words_of(body ? *body : json::value(), response->body);
}

}  // namespace windlass
