#include "cli/webhook_call.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "sys/crypto.h"
#include "sys/http_retry.h"
#include "sys/json.h"
#include "sys/url.h"

namespace windlass {
namespace {

constexpr std::string_view kEndpoint = "/v1/webhook";
constexpr std::uint64_t kAnswerBytesMax = 1 << 20;

// The service's answer as it is on the wire (webhook/T7); empty fields when it is somebody else's.
struct Answer {
  std::string error, content, job_id;
  std::string text() const { return error == content || error.empty() ? content : error + ": " + content; }
};

Answer answer_of(const HttpResponse& response) {
  const auto value = parse_json(response.body);
  const auto* object = value ? value->if_object() : nullptr;
  if (!object) return {};
  const auto text = [&](std::string_view key) {
    std::vector<std::string> lines;  // of each stack that failed one
    for (const auto line : split(text_of(*object, key), '\n')) lines.push_back(printable(line, 4096));
    return join(lines, "\n");
  };
  return {text("error"), text("content"), text("job_id")};
}

// 500 is not among them: where it comes from the service, it is how the deployment ended.
bool is_asked_again(int status) {
  constexpr int statuses[] = {408, 429, 502, 503, 504};
  return std::find(std::begin(statuses), std::end(statuses), status) != std::end(statuses);
}

Kind kind_of(int status) {
  if (is_asked_again(status)) return Kind::unavailable;
  if (status == 401 || status == 403) return Kind::denied;
  return status == 404 ? Kind::not_found : Kind::invalid;
}

std::string advice(const HttpResponse& response) {
  const int status = response.status;
  if (status == 401) return "the secret is not that of the service";
  if (status == 404) return "no webhook endpoint there: is the path right, and does the service have a WEBHOOK_SECRET?";
  if (status >= 300 && status < 400)
    return fmt::format("redirects to {}: give the URL where it answers", printable(response.header("Location"), 256));
  return "";
}

Error error_of(const std::string& shown_url, const HttpResponse& response) {
  const auto answer = answer_of(response);
  auto message = fmt::format("POST {}: {}", shown_url, response.status);
  for (const auto& part : {answer.text(), advice(response)})
    if (!part.empty()) message += ": " + part;
  if (!answer.job_id.empty()) message += fmt::format(" (job {})", answer.job_id);
  return {kind_of(response.status), message};
}

// Another digest is deployed, or another job decides: for who waits for this one that is no success, though it is 200.
bool is_overtaken(const Answer& answer) { return answer.content.starts_with("job skipped: superseded"); }

Result<WebhookOutcome> outcome_of(const WebhookCall& call, const std::string& shown_url, const HttpResponse& response) {
  const auto answer = answer_of(response);
  if (response.status < 200 || response.status > 299) return tl::unexpected(error_of(shown_url, response));
  if (answer.job_id.empty())
    return fail(Kind::invalid, fmt::format("POST {}: {} without a job id: that is not the webhook endpoint of windlass",
                                           shown_url, response.status));
  if (call.waits && is_overtaken(answer))
    return fail(Kind::conflict, fmt::format("POST {}: {} (job {})", shown_url, answer.content, answer.job_id));
  return WebhookOutcome{answer.content, answer.job_id};
}

}  // namespace

Result<std::string> webhook_url(const WebhookCall& call) {
  auto url = parse_url(call.url);
  if (!url) return while_doing(fmt::format("'{}'", printable(call.url, 256)), url.error());
  if (!url->query.empty()) return fail(Kind::invalid, fmt::format("{}: a query is not expected", url->shown()));
  while (url->path.ends_with('/')) url->path.pop_back();
  if (url->path.empty()) url->path = kEndpoint;
  if (!call.target.empty()) url->path += "/" + call.target;
  if (call.waits) url->query = "wait=true";
  return url->str();
}

std::string webhook_body(const WebhookCall& call) {
  return json::serialize(json::object{{"source", "oci"}, {"digest", call.digest.str()}, {"artifact", call.artifact}});
}

std::string webhook_signature(const std::string& body, const Secret& secret) {
  const auto mac = HmacSha256(secret).sign(body);
  return "sha256=" + to_hex({reinterpret_cast<const char*>(mac.data()), mac.size()});
}

std::string artifact_of(const Reference& reference) {
  return reference.tag().empty() ? reference.str() : reference.source_id() + ":" + reference.tag();
}

Result<WebhookOutcome> call_webhook(const WebhookCall& call, const Secret& secret, HttpTransport& transport,
                                    const WebhookRetries& retries, const std::function<void(std::string_view)>& say,
                                    const Deadline& deadline) {
  const auto url = webhook_url(call);
  if (!url) return tl::unexpected(url.error());
  const auto shown_url = url->substr(0, url->find('?'));
  HttpRequest request{.method = "POST", .url = *url, .body = webhook_body(call), .body_bytes_max = kAnswerBytesMax};
  request.headers = {{"Content-Type", "application/json"},
                     {"X-Doco-OCI-Signature-256", webhook_signature(request.body, secret)}};
  if (call.waits) request.header_timeout = deadline.left();
  for (int attempt = 1;; ++attempt) {
    auto response = transport.send(request, deadline);
    if (response && !is_asked_again(response->status)) return outcome_of(call, shown_url, *response);
    const auto error = response ? error_of(shown_url, *response) : response.error();
    if (error.kind != Kind::unavailable || attempt >= retries.attempts_max) return tl::unexpected(error);
    std::chrono::milliseconds wait = backoff(attempt - 1, retries.backoff_base, retries.backoff_max);
    if (response)
      if (const auto asked = parse_retry_after(response->header("Retry-After"), std::chrono::system_clock::now()))
        wait = *asked;
    if (wait >= deadline.left()) return tl::unexpected(error);
    say(fmt::format("{}; again in {:.1f} s", error.message, static_cast<double>(wait.count()) / 1000));
    if (!pause(wait, deadline)) return tl::unexpected(error);
  }
}

}  // namespace windlass
