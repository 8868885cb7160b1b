#include "webhook/registry_answer.h"

#include "base/text.h"
#include "sys/http_answers.h"

namespace windlass {
namespace {

constexpr std::string_view kEventGridOrigin = "eventgrid.azure.net";

ServerResponse with_body(int status, const json::object& body) {
  auto response = text_answer(status, "", "");
  response.body = json::serialize(body) + "\n";
  return response;
}

json::array jobs_of(const std::vector<TakenPush>& taken) {
  json::array jobs;
  for (const auto& push : taken)
    jobs.push_back(json::object{{"job_id", push.job_id}, {"artifact", push.artifact}, {"digest", push.digest}});
  return jobs;
}

json::array reasons_of(const std::vector<RegistryEvent>& ignored) {
  json::array reasons;
  for (const auto& event : ignored)
    reasons.push_back(json::object{{"reason", to_string(*event.ignored)}, {"detail", event.detail}});
  return reasons;
}

}  // namespace

ServerResponse registry_answer(const std::vector<TakenPush>& taken, const std::vector<RegistryEvent>& ignored,
                               std::string_view request_id) {
  const auto first = ignored.empty() ? std::optional<Ignored>() : ignored.front().ignored;
  if (taken.empty() && first == Ignored::handshake)
    return with_body(200, {{"validationResponse", ignored.front().detail}});
  const auto content = taken.empty() ? "ignored: " + std::string(to_string(first.value_or(Ignored::no_events)))
                                     : std::string("job accepted");
  return with_body(taken.empty() && first == Ignored::ping ? 200 : 202,
                   {{"content", content},
                    {"job_id", taken.empty() ? request_id : std::string_view(taken.front().job_id)},
                    {"jobs", jobs_of(taken)},
                    {"ignored", reasons_of(ignored)}});
}

ServerResponse handshake_answer(std::string_view origin, std::string_view request_id) {
  if (lower(origin) != kEventGridOrigin)
    return error_answer(400, "unknown origin", "WebHook-Request-Origin must be eventgrid.azure.net", request_id);
  auto response = text_answer(200, "handshake", request_id);
  response.headers.push_back({"Allow", "POST"});
  response.headers.push_back({"WebHook-Allowed-Origin", std::string(kEventGridOrigin)});
  response.headers.push_back({"WebHook-Allowed-Rate", "*"});
  return response;
}

}  // namespace windlass
