#include "cli/plan.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "base/text.h"
#include "cli/folder_packing.h"
#include "cli/table.h"
#include "sys/crypto.h"
#include "sys/files.h"

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

void print_warnings(const json::object& object, std::string_view indent) {
  const auto* warnings = array_of(object, "warnings");
  if (warnings == nullptr) return;
  for (const auto& warning : *warnings)
    if (const auto* text = warning.if_string()) fmt::print("{}! {}\n", indent, shown(*text));
}

void print_stack(const json::object& stack) {
  const auto reason = text_of(stack, "reason");
  const auto context = text_of(stack, "context");
  fmt::print("\n{}{}{}: {}{}\n", shown(context), context.empty() ? "" : "/", shown(text_of(stack, "name")),
             shown(text_of(stack, "decision")), reason.empty() ? "" : ": " + shown(reason));
  if (const auto* reasons = array_of(stack, "reasons"))
    for (const auto& each : *reasons)
      if (const auto* text = each.if_string()) fmt::print("  {}\n", shown(*text));
  if (const auto* services = array_of(stack, "services"))
    for (const auto& service : *services)
      if (const auto* object = service.if_object()) print_service(*object);
  if (const auto* changes = array_of(stack, "changes"))
    for (const auto& change : *changes)
      if (const auto* object = change.if_object()) print_change(*object);
  print_warnings(stack, "  ");
}

// Is there no stack that is known to fail?
bool may_go_well(const json::object& plan) {
  const auto* stacks = array_of(plan, "stacks");
  return stacks == nullptr || std::none_of(stacks->begin(), stacks->end(), [](const json::value& stack) {
           return stack.is_object() && text_of(stack.get_object(), "decision") == "failed";
         });
}

// The folder as push would pack it.
Result<std::string> archive_of(const std::string& folder, const Environment& environment) {
  Progress progress(STDERR_FILENO, true);
  const auto layer = pack_folder({.folder = folder}, environment, progress);
  if (!layer) return tl::unexpected(layer.error());
  std::string bytes(layer->size_bytes, '\0');
  for (std::size_t have = 0; have < bytes.size();) {
    const auto got = ::pread(layer->file.get(), bytes.data() + have, bytes.size() - have, static_cast<off_t>(have));
    if (got <= 0) return tl::unexpected(system_error("reading the packed folder", got < 0 ? errno : EIO));
    have += static_cast<std::size_t>(got);
  }
  return bytes;
}

Result<json::object> body_of(const PlanCommand& command, const Environment& environment) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(command.reference, ignored)) {
    if (!command.as.empty())
      return fail(Kind::invalid, "--as is for folders: " + printable(command.reference, 256) + " is none");
    return json::object{{"artifact", command.reference}, {"target", command.target}};
  }
  if (command.as.empty()) return fail(Kind::invalid, "give --as REF: which artifact the folder would become");
  const auto archive = archive_of(command.reference, environment);
  if (!archive) return tl::unexpected(archive.error());
  return json::object{{"artifact", command.as}, {"target", command.target}, {"archive", base64_encode(*archive)}};
}

}  // namespace

int show_plan(const PlanCommand& command, const Environment& environment, HttpTransport& transport) {
  const auto end_with = [](int code, const Error& error) {
    fmt::print(stderr, "windlass plan: {}\n", shown_lines(error.message));
    return code;
  };
  const auto client = ApiClient::make(command.api, environment, transport);
  if (!client) return end_with(2, client.error());
  const auto body = body_of(command, environment);
  if (!body) return end_with(body.error().kind == Kind::invalid && command.as.empty() ? 2 : 1, body.error());
  const auto answer = client->post("plan", json::serialize(*body), kPlanTimeout);
  if (!answer) return end_with(1, answer.error());
  const auto* plan = answer->content.if_object();
  if (plan == nullptr) return end_with(1, {Kind::invalid, "the answer is not one of windlass"});
  const int code = may_go_well(*plan) ? 0 : 1;
  if (command.api.as_json) {
    fmt::print("{}\n", json::serialize(answer->content));
    return code;
  }
  const auto digest = text_of(*plan, "digest");
  fmt::print("{}\n{}\n", shown(text_of(*plan, "artifact")),
             digest.empty() ? "of the files in the folder" : shown(digest));
  print_warnings(*plan, "");
  if (const auto* stacks = array_of(*plan, "stacks"))
    for (const auto& stack : *stacks)
      if (const auto* object = stack.if_object()) print_stack(*object);
  return code;
}

}  // namespace windlass
