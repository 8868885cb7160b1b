#include "api/endpoint.h"

#include <fmt/format.h>

#include <optional>

#include "api/parameters.h"
#include "api/plan.h"
#include "api/runs.h"
#include "sys/crypto.h"
#include "sys/http_answers.h"
#include "sys/query.h"

namespace windlass {
namespace {

enum class Call { list_runs, show_run, run_polls, list_releases, show_release, roll_back, plan };

// "<path>" alone, or where it ends in '/' with one segment more, and after that "<rest>".
struct Route {
  std::string_view path, rest;
  std::string_view method;
  Call call;
};

constexpr std::string_view kHealth = "/v1/health";
constexpr Route kRoutes[] = {
    {"/v1/api/runs", "", "GET", Call::list_runs},
    {"/v1/api/run/", "", "GET", Call::show_run},
    {"/v1/api/poll/run", "", "POST", Call::run_polls},
    {"/v1/api/releases", "", "GET", Call::list_releases},
    {"/v1/api/release/", "", "GET", Call::show_release},
    {"/v1/api/release/", "/rollback", "POST", Call::roll_back},
    {"/v1/api/plan", "", "POST", Call::plan},
};

// The path without the route's `rest`; nothing when it does not end so.
std::optional<std::string_view> stem_of(std::string_view path, const Route& route) {
  if (!path.ends_with(route.rest)) return std::nullopt;
  return path.substr(0, path.size() - route.rest.size());
}

const Route* route_of(std::string_view path) {
  for (const auto& route : kRoutes) {
    const auto stem = stem_of(path, route);
    if (!stem) continue;
    if (route.path.ends_with('/') ? last_segment(*stem, route.path).has_value() : *stem == route.path) return &route;
  }
  return nullptr;
}

// What stands in the place of the segment.
std::string segment_of(std::string_view path, const Route& route) {
  const auto segment = *last_segment(*stem_of(path, route), route.path);
  return percent_decoded(segment).value_or(std::string(segment));
}

}  // namespace

ApiEndpoint::ApiEndpoint(Options options, JobQueue& queue, ReleaseArchive& archive, Engine& engine, const Clock& clock,
                         Log log)
    : is_enabled_(!options.secret.empty()),
      key_(options.secret),
      addresses_(ClientAddresses::make(options.trusted_proxies, options.trusted_header).value_or(ClientAddresses())),
      queue_(queue),
      archive_(archive),
      clock_(clock),
      log_(std::move(log)),
      health_(options.docker_host_set, engine, queue, clock),
      polls_({.strict = options.config_strict}, queue, clock, log_),
      releases_(archive, queue) {}

void ApiEndpoint::use(const Secret& secret) {
  is_enabled_ = !secret.empty();
  key_.use(secret);
}

bool ApiEndpoint::serves(std::string_view path) const {
  return path == kHealth || (is_enabled_ && route_of(path) != nullptr);
}

void ApiEndpoint::handle(ServerRequest request, Responder respond) {
  auto job_id = new_uuid_v7();
  if (request.path == kHealth) return health_.answer(std::move(job_id), std::move(respond));

  const auto ip = addresses_.of(request);
  if (log_.enabled(LogLevel::debug)) log_.debug("received api request", {{"job_id", job_id}, {"ip", ip}});
  const auto& route = *route_of(request.path);
  if (request.method != route.method) {
    auto answer = error_answer(405, "invalid http method", fmt::format("requires method: {}", route.method), job_id);
    answer.headers.push_back({"Allow", std::string(route.method)});
    return respond(std::move(answer));
  }
  if (auto refusal = key_.refusal(request, addresses_.counted_as(request), clock_.steady_now(), job_id))
    return respond(std::move(*refusal));

  switch (route.call) {
    case Call::list_runs:
      return answer_runs(request, std::move(job_id), std::move(respond));
    case Call::show_run:
      return answer_later(std::move(job_id), std::move(respond),
                          [this, run_id = segment_of(request.path, route)](const std::string& id) {
                            return show_run(queue_, run_id, id);
                          });
    case Call::run_polls: {
      auto logged = log_when_answered(request, job_id, ip, std::move(respond));
      return polls_.answer(request, std::move(job_id), std::move(logged));
    }
    case Call::list_releases:
      return answer_releases(request, std::move(job_id), std::move(respond));
    case Call::show_release:
      return answer_later(std::move(job_id), std::move(respond),
                          [this, release_id = segment_of(request.path, route)](const std::string& id) {
                            return releases_.show(release_id, id);
                          });
    case Call::plan:
      return answer_plan_request(request, std::move(job_id), std::move(respond));
    case Call::roll_back: {
      auto logged = log_when_answered(request, job_id, ip, std::move(respond));
      return answer_rollback(request, segment_of(request.path, route), std::move(job_id), std::move(logged));
    }
  }
}

void ApiEndpoint::answer_runs(const ServerRequest& request, std::string job_id, Responder respond) {
  auto filter = run_filter(request.query, job_id);
  if (!filter) return respond(std::move(filter.error()));
  answer_later(std::move(job_id), std::move(respond),
               [this, filter = *filter](const std::string& id) { return list_runs(queue_, filter, id); });
}

void ApiEndpoint::answer_releases(const ServerRequest& request, std::string job_id, Responder respond) {
  auto filter = Releases::filter(request.query, job_id);
  if (!filter) return respond(std::move(filter.error()));
  answer_later(std::move(job_id), std::move(respond),
               [this, filter = *filter](const std::string& id) { return releases_.list(filter, id); });
}

void ApiEndpoint::answer_plan_request(const ServerRequest& request, std::string job_id, Responder respond) {
  auto wanted = plan_order(request, job_id);
  if (!wanted) return respond(std::move(wanted.error()));
  do_later(planner_, job_id, respond,
           [this, wanted = *std::move(wanted), job_id, respond] { respond(answer_plan(archive_, wanted, job_id)); });
}

void ApiEndpoint::answer_rollback(const ServerRequest& request, std::string release_id, std::string job_id,
                                  Responder respond) {
  const auto wait = wait_parameter(request.query, false, job_id);
  if (!wait) return respond(wait.error());
  do_later(reader_, job_id, respond, [this, release_id = std::move(release_id), wait = *wait, job_id, respond] {
    releases_.roll_back(release_id, wait, job_id, respond);
  });
}

// api/G9: a line for each call that changes something.
Responder ApiEndpoint::log_when_answered(const ServerRequest& request, const std::string& job_id, const std::string& ip,
                                         Responder respond) const {
  return [log = log_, &clock = clock_, started = clock_.steady_now(), method = request.method, path = request.path,
          job_id, ip, respond = std::move(respond)](ServerResponse response) {
    const auto span = std::chrono::round<std::chrono::milliseconds>(clock.steady_now() - started);
    log.info("api call", {{"job_id", job_id},
                          {"method", method},
                          {"path", path},
                          {"status", response.status},
                          {"duration", to_go_duration(span)},
                          {"ip", ip}});
    respond(std::move(response));
  };
}

void ApiEndpoint::answer_later(std::string job_id, Responder respond,
                               std::function<ServerResponse(const std::string&)> read) {
  do_later(reader_, job_id, respond, [job_id, respond, read = std::move(read)] { respond(read(job_id)); });
}

void ApiEndpoint::do_later(Worker& worker, const std::string& job_id, const Responder& respond,
                           std::function<void()> task) {
  if (worker.post(std::move(task))) return;
  auto answer = error_answer(503, "too many requests at once", "retry later", job_id);
  answer.headers.push_back({"Retry-After", "1"});
  respond(std::move(answer));
}

}  // namespace windlass
