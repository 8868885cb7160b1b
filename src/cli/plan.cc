#include "cli/plan.h"

#include <fmt/format.h>

#include <cstdio>

#include "base/text.h"

namespace windlass {
namespace {

constexpr auto kPlanTimeout = std::chrono::minutes(15);

std::string shown(std::string_view text) { return printable(text, 4096); }

void print_service(const json::object& service) {
  std::string reasons;
  if (const auto* list = array_of(service, "reasons"))
    for (const auto& reason : *list)
      if (const auto* text = reason.if_string()) reasons += (reasons.empty() ? "" : ", ") + shown(*text);
  fmt::print("  {:<9} {}{}\n", shown(text_of(service, "action")), shown(text_of(service, "service")),
             reasons.empty() ? "" : fmt::format("  ({})", reasons));
}

// As a difference is usually shown: what goes with a minus, what comes with a plus.
void print_change(const json::object& change) {
  const auto before = text_of(change, "before"), after = text_of(change, "after");
  const auto path = shown(text_of(change, "path"));
  if (!before.empty()) fmt::print("  - {}: {}\n", path, shown(before));
  if (!after.empty()) fmt::print("  + {}: {}\n", path, shown(after));
}

void print_stack(const json::object& stack) {
  const auto reason = text_of(stack, "reason");
  fmt::print("\n{}: {}{}\n", shown(text_of(stack, "name")), shown(text_of(stack, "decision")),
             reason.empty() ? "" : ": " + shown(reason));
  if (const auto* reasons = array_of(stack, "reasons"))
    for (const auto& each : *reasons)
      if (const auto* text = each.if_string()) fmt::print("  {}\n", shown(*text));
  if (const auto* services = array_of(stack, "services"))
    for (const auto& service : *services)
      if (const auto* object = service.if_object()) print_service(*object);
  if (const auto* changes = array_of(stack, "changes"))
    for (const auto& change : *changes)
      if (const auto* object = change.if_object()) print_change(*object);
}

}  // namespace

int show_plan(const PlanCommand& command, const Environment& environment, HttpTransport& transport) {
  const auto end_with = [](int code, const Error& error) {
    fmt::print(stderr, "windlass plan: {}\n", error.message);
    return code;
  };
  const auto client = ApiClient::make(command.api, environment, transport);
  if (!client) return end_with(2, client.error());
  const json::object body{{"artifact", command.reference}, {"target", command.target}};
  const auto answer = client->post("plan", json::serialize(body), kPlanTimeout);
  if (!answer) return end_with(1, answer.error());
  if (command.api.as_json) {
    fmt::print("{}\n", json::serialize(answer->content));
    return 0;
  }
  const auto* plan = answer->content.if_object();
  if (plan == nullptr) return end_with(1, {Kind::invalid, "the answer is not one of windlass"});
  fmt::print("{}\n{}\n", shown(text_of(*plan, "artifact")), shown(text_of(*plan, "digest")));
  if (const auto* stacks = array_of(*plan, "stacks"))
    for (const auto& stack : *stacks)
      if (const auto* object = stack.if_object()) print_stack(*object);
  return 0;
}

}  // namespace windlass
