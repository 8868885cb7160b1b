#include "api/endpoint.h"

#include "api/runs.h"
#include "sys/crypto.h"
#include "sys/http_answers.h"
#include "sys/query.h"

namespace windlass {
namespace {

constexpr std::string_view kHealth = "/v1/health";
constexpr std::string_view kRuns = "/v1/api/runs";
constexpr std::string_view kRun = "/v1/api/run/";

}  // namespace

ApiEndpoint::ApiEndpoint(Options options, JobQueue& queue, Engine& engine, const Clock& clock, Log log)
    : is_enabled_(!options.secret.empty()),
      key_(options.secret),
      addresses_(ClientAddresses::make(options.trusted_proxies, options.trusted_header).value_or(ClientAddresses())),
      queue_(queue),
      clock_(clock),
      log_(std::move(log)),
      health_(options.docker_host_set, engine, queue, clock) {}

bool ApiEndpoint::serves(std::string_view path) const {
  return path == kHealth || (is_enabled_ && (path == kRuns || last_segment(path, kRun)));
}

void ApiEndpoint::handle(ServerRequest request, Responder respond) {
  auto job_id = new_uuid_v7();
  if (request.path == kHealth) return health_.answer(std::move(job_id), std::move(respond));

  const auto ip = addresses_.of(request);
  if (log_.enabled(LogLevel::debug)) log_.debug("received api request", {{"job_id", job_id}, {"ip", ip}});
  if (request.method != "GET") {
    auto answer = error_answer(405, "invalid http method", "requires method: GET", job_id);
    answer.headers.push_back({"Allow", "GET"});
    return respond(std::move(answer));
  }
  if (auto refusal = key_.refusal(request, without_port(ip), clock_.steady_now(), job_id))
    return respond(std::move(*refusal));

  if (const auto segment = last_segment(request.path, kRun)) {
    auto run_id = percent_decoded(*segment).value_or(std::string(*segment));
    return answer_later(
        std::move(job_id), std::move(respond),
        [this, run_id = std::move(run_id)](const std::string& id) { return show_run(queue_, run_id, id); });
  }
  auto filter = run_filter(request.query, job_id);
  if (!filter) return respond(std::move(filter.error()));
  answer_later(std::move(job_id), std::move(respond),
               [this, filter = *filter](const std::string& id) { return list_runs(queue_, filter, id); });
}

void ApiEndpoint::answer_later(std::string job_id, Responder respond,
                               std::function<ServerResponse(const std::string&)> read) {
  const bool posted = reader_.post([job_id, respond, read = std::move(read)] { respond(read(job_id)); });
  if (posted) return;
  auto answer = error_answer(503, "too many requests at once", "retry later", job_id);
  answer.headers.push_back({"Retry-After", "1"});
  respond(std::move(answer));
}

}  // namespace windlass
