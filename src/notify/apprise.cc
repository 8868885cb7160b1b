#include "notify/apprise.h"

#include <fmt/format.h>

#include "notify/redaction.h"
#include "sys/crypto.h"
#include "sys/json.h"

namespace windlass {
namespace {

constexpr std::uint64_t kAnswerBytesMax = 1 << 20;  // Apprise tells a line or two

// 424: a service behind Apprise did not take it, which may pass as well as anything.
bool may_pass(int status) { return status >= 500 || status == 408 || status == 424 || status == 425 || status == 429; }

}  // namespace

Status Apprise::send(NotificationLevel level, std::string_view title, std::string_view body, const Deadline& deadline) {
  const auto request = this->request(level, title, body);
  for (std::size_t tries = 0;; ++tries) {
    auto sent = send_once(request, deadline.within(options_.try_timeout));
    if (sent || sent.error().kind != Kind::unavailable || tries == options_.pauses.size()) return sent;
    if (!pause(options_.pauses[tries], deadline)) return sent;
  }
}

HttpRequest Apprise::request(NotificationLevel level, std::string_view title, std::string_view body) const {
  const json::object content = {
      {"urls", options_.urls.reveal()}, {"title", title}, {"body", body}, {"type", to_string(level)}};
  HttpRequest request{.method = "POST",
                      .url = options_.api_url,
                      .headers = {{"Content-Type", "application/json"}},
                      .body = json::serialize(content),
                      .connect_timeout = options_.try_timeout,
                      .header_timeout = options_.try_timeout,
                      .body_bytes_max = kAnswerBytesMax};
  if (!options_.credentials.empty())
    request.headers.push_back({"Authorization", "Basic " + base64_encode(options_.credentials.reveal())});
  return request;
}

Status Apprise::send_once(const HttpRequest& request, const Deadline& deadline) {
  const auto response = transport_.send(request, deadline);
  if (!response) return fail(response.error().kind, redacted(response.error().message));
  if (response->status >= 200 && response->status < 300) return {};
  const auto kind = may_pass(response->status) ? Kind::unavailable : Kind::invalid;
  const auto answer = redacted(response->body);
  return fail(kind, fmt::format("apprise answered {}{}{}", response->status, answer.empty() ? "" : ": ", answer));
}

}  // namespace windlass
