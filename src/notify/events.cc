#include "notify/events.h"

#include <fmt/format.h>

#include "base/clock.h"

namespace windlass {
namespace {

using Level = NotificationLevel;

constexpr std::string_view kPollFailed = "Poll Job failed";
constexpr std::size_t kShortIdLength = 12;  // of a container, as Docker shows it

Message message_of_stack(const StackEvent& event, Level level, std::string title, std::string_view text) {
  const auto& request = event.job.request;
  const bool is_reconciliation = request.cause == kReconcileCause;
  return {.level = level,
          .title = std::move(title),
          .text = fmt::format("{} stack {}", text, event.stack.name),
          .about = {.repository = request.source_id,
                    .stack = event.stack.name,
                    .target = request.target,
                    .context = event.stack.context,
                    .revision = event.revision,
                    .job_id = event.job.id,
                    .duration = level == Level::success ? to_go_duration(event.elapsed) : "",
                    .changed_services = event.changed_services,
                    .is_reconciliation = is_reconciliation,
                    .trace_id = is_reconciliation ? event.job.id : ""}};
}

// "<error>: <content>" of the record on two lines (A14); the error is one of a known few.
std::string on_two_lines(const std::string& message) {
  for (int step = 0; step <= static_cast<int>(FailedStep::internal); ++step) {
    const auto error = error_text(static_cast<FailedStep>(step));
    if (error.empty() || !message.starts_with(error)) continue;
    const auto rest = std::string_view(message).substr(error.size());
    if (rest.starts_with(": ")) return fmt::format("{}\n{}", error, rest.substr(2));
  }
  return message;
}

Message message_of_job(const RunRecord& record) {
  const bool is_poll = record.trigger == Trigger::poll;
  return {.level = Level::failure,
          .title = is_poll ? std::string(kPollFailed) : "Deployment Failed",
          .text = sendable(is_poll ? record.message : on_two_lines(record.message)),
          .about = context_of(record)};
}

}  // namespace

Message message_of_start(const StackEvent& event) {
  return message_of_stack(event, Level::info, "Deployment started", "Starting deployment of");
}

Message message_of_deployment(const StackEvent& event) {
  return message_of_stack(event, Level::success, "Deployment completed", "Successfully deployed");
}

Message message_of_removal(const StackEvent& event) {
  return message_of_stack(event, Level::success, "Stack destroyed", "successfully destroyed");
}

Message message_of_restart(const RestartEvent& event) {
  const auto id = std::string(event.container_id.substr(0, kShortIdLength));
  const auto container = fmt::format("Container {} ({})", event.container, id);
  Message message{.about = {.repository = std::string(event.source_id),
                            .stack = event.stack.name,
                            .context = event.stack.context,
                            .is_reconciliation = true,
                            .reconciliation_event = std::string(event.event),
                            .actor_kind = "container",
                            .actor_id = id,
                            .actor_name = std::string(event.container)}};
  switch (event.result) {
    case RestartEvent::Result::restarted:
      message.level = Level::success;
      message.title = "Container restarted";
      message.text = fmt::format("{} was restarted successfully on \"{}\" event", container, event.event);
      break;
    case RestartEvent::Result::failed:
      message.level = Level::failure;
      message.title = "Container restart failed";
      message.text = fmt::format("{} could not be restarted on \"{}\" event: {}", container, event.event, event.error);
      break;
    case RestartEvent::Result::suppressed:
      message.level = Level::warning;
      message.title = "Container restart suppressed";
      message.text = fmt::format("suppressed unhealthy auto-restart after {} restarts in {}", event.restarts,
                                 to_go_duration(event.window));
      break;
  }
  message.text = sendable(message.text);
  return message;
}

Message message_of_outage(const JobRequest& request, std::string_view error) {
  return {.level = Level::failure,
          .title = std::string(kPollFailed),
          .text = sendable(error),
          .about = context_of(request)};
}

std::vector<Message> messages_of_failure(const RunRecord& record) {
  std::vector<Message> messages;
  if (record.status != RunStatus::failed) return messages;
  for (const auto& stack : record.stacks)
    if (stack.status == RunStatus::failed)
      messages.push_back({.level = Level::failure,
                          .title = "Deployment Failed",
                          .text = sendable(stack.message),
                          .about = context_of(record, stack)});
  if (messages.empty()) messages.push_back(message_of_job(record));
  return messages;
}

std::vector<Message> messages_of_rollback(const RunRecord& record) {
  std::vector<Message> messages;
  if (record.status != RunStatus::succeeded || record.cause != kRollbackCause) return messages;
  for (const auto& stack : record.stacks)
    if (stack.status == RunStatus::succeeded)
      messages.push_back({.level = Level::success,
                          .title = "Deployment completed",
                          .text = "Successfully deployed stack " + stack.name,
                          .about = context_of(record, stack)});
  return messages;
}

MessageContext context_of(const JobRequest& request) {
  return {.repository = request.source_id, .target = request.target, .revision = revision_of(request)};
}

MessageContext context_of(const RunRecord& record) {
  const bool is_reconciliation = record.cause == kReconcileCause;
  return {.repository = record.source,
          .target = record.target,
          .revision = record.revision,
          .job_id = record.job_id,
          .is_reconciliation = is_reconciliation,
          .trace_id = is_reconciliation ? record.job_id : ""};
}

MessageContext context_of(const RunRecord& record, const StackResult& stack) {
  auto about = context_of(record);
  about.stack = stack.name;
  about.context = stack.context;
  return about;
}

}  // namespace windlass
