#include "api/releases.h"

#include <fmt/format.h>

#include "api/parameters.h"
#include "api/refusal.h"
#include "api/release_json.h"
#include "base/text.h"
#include "sys/http_answers.h"
#include "sys/query.h"

namespace windlass {
namespace {

ServerResponse not_found(const std::string& release_id, std::string_view job_id) {
  return error_answer(404, fmt::format("release not found: {}", printable(release_id, 128)), "", job_id);
}

ServerResponse unreadable(const Error& error, std::string_view job_id) {
  return error_answer(500, "failed to read releases", error.message, job_id);
}

ServerResponse end_of(const RunRecord& run, const JobOutcome& outcome) {
  if (outcome.status != RunStatus::failed) return text_answer(200, outcome.run_message(), run.job_id);
  const auto error = error_text(outcome.failed_step);
  return error.empty() ? error_answer(500, outcome.message, "", run.job_id)
                       : error_answer(500, error, outcome.message, run.job_id);
}

}  // namespace

tl::expected<Releases::Filter, ServerResponse> Releases::filter(std::string_view query, std::string_view job_id) {
  auto limit = limit_parameter(query, job_id);
  if (!limit) return tl::unexpected(std::move(limit.error()));
  ReleaseFilter releases{.stack = std::string(trim(query_value(query, "stack").value_or("")))};
  const std::string context(trim(query_value(query, "context").value_or("")));
  if (!context.empty()) releases.context = context == "default" ? "" : context;
  return Filter{.releases = std::move(releases), .limit = *limit};
}

ServerResponse Releases::list(const Filter& filter, std::string_view job_id) const {
  const auto releases = archive_.releases(filter.releases, filter.limit);
  return releases ? json_answer(200, to_json(*releases), job_id) : unreadable(releases.error(), job_id);
}

ServerResponse Releases::show(const std::string& release_id, std::string_view job_id) const {
  const auto release = archive_.release(release_id);
  if (!release) return unreadable(release.error(), job_id);
  return *release ? json_answer(200, to_json(**release), job_id) : not_found(release_id, job_id);
}

void Releases::roll_back(const std::string& release_id, bool wait, std::string job_id, Responder respond) const {
  const auto release = archive_.release(release_id);
  if (!release) return respond(unreadable(release.error(), job_id));
  if (!*release) return respond(not_found(release_id, job_id));
  auto request = archive_.rollback_to(**release);
  if (!request) return respond(error_answer(409, request.error().message, "", job_id));

  JobQueue::OnFinished finished;
  if (wait) finished = [respond](const RunRecord& run, const JobOutcome& outcome) { respond(end_of(run, outcome)); };
  queue_.accept(
      std::move(job_id), *std::move(request),
      [wait, respond](const JobQueue::Accepted& result) {
        if (result.refusal) return respond(refusal_answer(result));
        if (!wait) respond(text_answer(202, "rollback accepted", result.job_id));
      },
      std::move(finished));
}

}  // namespace windlass
