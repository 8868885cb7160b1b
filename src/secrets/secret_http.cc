#include "secrets/secret_http.h"

#include <fmt/format.h>

#include <random>

#include "base/parallel.h"
#include "sys/http_retry.h"
#include "sys/url.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kAtATime = 8;
constexpr int kRedirectsMax = 3;
constexpr std::uint64_t kAnswerBytesMax = 1 << 20;  // secrets/B7: a secret is small

bool may_pass(int status) { return status >= 500 || status == 408 || status == 425 || status == 429; }

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::string shown(const HttpRequest& request) {
  const auto url = parse_url(request.url);
  return fmt::format("{} {}", request.method, url ? url->shown() : "an invalid URL");
}

}  // namespace

Result<HttpResponse> SecretHttp::ask(HttpRequest request, const Deadline& deadline) const {
  request.connect_timeout = 5s;
  request.header_timeout = request.idle_timeout = options_.try_timeout;
  request.body_bytes_max = kAnswerBytesMax;
  request.headers.push_back({"User-Agent", "windlass/" WINDLASS_VERSION});
  for (int tried = 1;; ++tried) {
    auto response = ask_once(request, deadline);
    const bool is_worth_another = response ? may_pass(response->status) : response.error().kind == Kind::unavailable;
    if (!is_worth_another || tried >= options_.tries) return response;
    if (!wait_before_next(tried, response ? response->header("Retry-After") : "", deadline)) return response;
  }
}

Result<HttpResponse> SecretHttp::ask_once(const HttpRequest& request, const Deadline& deadline) const {
  const auto until = deadline.within(options_.try_timeout);
  auto response = transport_.send(request, until);
  auto url = parse_url(request.url);
  for (int hop = 0; response && is_redirect(response->status) && request.method == "GET" && url; ++hop) {
    const auto next = resolve_url(*url, response->header("Location"));
    if (hop == kRedirectsMax || !next)
      return fail(Kind::invalid, fmt::format("{}: redirected without end or to no URL", shown(request)));
    if (next->scheme != url->scheme || next->host_port() != url->host_port())
      return fail(Kind::denied, fmt::format("{}: redirected to {}://{}, which is not asked with our credentials",
                                            shown(request), next->scheme, next->host_port()));
    auto again = request;
    again.url = next->str();
    url = next;
    response = transport_.send(again, until);
  }
  return response;
}

bool SecretHttp::wait_before_next(int tried, std::string_view retry_after, const Deadline& deadline) const {
  thread_local std::minstd_rand random{std::random_device{}()};
  std::uniform_int_distribution<std::chrono::milliseconds::rep> jitter(0, options_.first_wait.count() / 2);
  auto wait = options_.first_wait * (1 << (tried - 1)) + std::chrono::milliseconds(jitter(random));
  if (const auto wanted = parse_retry_after(retry_after, clock_.now())) {
    if (*wanted > options_.retry_after_max) return false;
    wait = std::max<std::chrono::milliseconds>(wait, *wanted);
  }
  return pause(wait, deadline);
}

Result<json::value> SecretHttp::ask_json(HttpRequest request, const Deadline& deadline) const {
  const auto response = ask(request, deadline);
  return json_answer(request, response);
}

Result<json::value> json_answer(const HttpRequest& request, const Result<HttpResponse>& response) {
  if (!response) return tl::unexpected(response.error());
  if (response->status < 200 || response->status >= 300)
    return fail(kind_of_status(response->status), fmt::format("{}: status {}", shown(request), response->status));
  auto value = parse_json(response->body);
  if (!value) return fail(Kind::invalid, fmt::format("{}: the answer is not JSON", shown(request)));
  return value;
}

Kind kind_of_status(int status) {
  if (status == 404) return Kind::not_found;
  if (status == 401 || status == 403) return Kind::denied;
  return may_pass(status) ? Kind::unavailable : Kind::invalid;
}

std::vector<Result<Secret>> for_each_reference(const std::vector<std::string>& references,
                                               const std::function<Result<Secret>(const std::string&)>& fetch) {
  std::vector<Result<Secret>> results(references.size());
  const auto done = for_each_index(references.size(), kAtATime, [&](std::size_t index) {
    results[index] = fetch(references[index]);
    return Status();
  });
  for (std::size_t index = 0; index < done.size(); ++index)
    if (!done[index]) results[index] = tl::unexpected(done[index].error());
  return results;
}

}  // namespace windlass
