#include "api/plan.h"

#include <fmt/format.h>

#include "api/body_fault.h"
#include "api/json_fields.h"
#include "base/text.h"
#include "model/target.h"
#include "oci/reference.h"
#include "sys/crypto.h"
#include "sys/http_answers.h"
#include "sys/json.h"

namespace windlass {
namespace {

json::array to_array(const std::vector<std::string>& texts) {
  json::array array;
  for (const auto& text : texts) array.emplace_back(proper(text));
  return array;
}

json::object stack_object(const StackReport& stack) {
  json::array services, changes;
  for (const auto& service : stack.plan.services)
    services.push_back(json::object{
        {"service", service.service}, {"action", to_string(service.action)}, {"reasons", to_array(service.reasons)}});
  for (const auto& change : stack.changes)
    changes.push_back(json::object{
        {"path", proper(change.path)}, {"before", proper(change.before)}, {"after", proper(change.after)}});
  json::object object{{"name", stack.name}, {"context", stack.context}, {"decision", stack.decision}};
  add_if_set(object, "reason", stack.reason);
  object["plan"] = proper(stack.plan.str());
  object["reasons"] = to_array(stack.plan.reasons);
  object["services"] = std::move(services);
  object["changes"] = std::move(changes);
  object["warnings"] = to_array(stack.warnings);
  return object;
}

}  // namespace

tl::expected<PlanOrder, ServerResponse> plan_order(const ServerRequest& request, std::string_view job_id) {
  const auto refused = [&](std::string_view error, std::string_view content) {
    return tl::unexpected(error_answer(400, error, content, job_id));
  };
  if (auto unreadable = unreadable_body(request.body_fault, job_id)) return tl::unexpected(*std::move(unreadable));
  const auto body = parse_json(request.body);
  if (!body) return refused("failed to decode json in body", body.error().message);
  if (!body->is_object()) return refused("failed to decode json in body", "expected an object");
  const auto& fields = body->get_object();
  const auto artifact = trim(text_of(fields, "artifact"));
  if (artifact.empty()) return refused("invalid field: artifact", "is required");
  const auto reference = Reference::parse(artifact);
  if (!reference) return refused("invalid field: artifact", "not a valid OCI reference: " + reference.error().message);
  const std::string target(trim(text_of(fields, "target")));
  if (!is_target(target)) return refused("invalid field: target", fmt::format("must match {}", kTargetRule));
  auto archive = base64_decode(text_of(fields, "archive"));
  if (!archive) return refused("invalid field: archive", "must be base64");
  return PlanOrder{.request = {.trigger = Trigger::poll,  // an operator wants to know: no webhook_filter stands between
                               .artifact = std::string(artifact),
                               .source_id = reference->source_id(),
                               .repository = reference->repository(),
                               .ref = reference->identifier(),
                               .ref_is_digest = reference->digest().has_value(),
                               .target = target},
                   .archive = *std::move(archive)};
}

ServerResponse answer_plan(ReleaseArchive& archive, const PlanOrder& order, std::string_view job_id) {
  const auto report = archive.plan(order.request, order.archive);
  if (!report)
    return error_answer(report.error().kind == Kind::unavailable ? 503 : 500, "planning failed", report.error().message,
                        job_id);
  json::array stacks;
  for (const auto& stack : report->stacks) stacks.push_back(stack_object(stack));
  const json::object plan{{"artifact", report->artifact},
                          {"digest", report->digest},
                          {"warnings", to_array(report->warnings)},
                          {"stacks", std::move(stacks)}};
  return json_answer(200, json::serialize(plan), job_id);
}

}  // namespace windlass
