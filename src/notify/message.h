// One thing that people are told, and its text (api 6.1 to 6.3).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/notification_level.h"

namespace windlass {

// What a message is about; what is not known stays empty and is not shown.
struct MessageContext {
  std::string repository;  // canonical host/path of the source, the same for stacks and jobs (A32)
  std::string stack;
  std::string target;
  std::string context;  // Docker context
  std::string revision;
  std::string job_id;
  std::string duration;  // as Go writes it
  std::vector<std::string> changed_services;

  bool is_reconciliation = false;
  std::string reconciliation_event;
  std::string trace_id;
  std::string actor_kind;  // of what was affected: "container", "service"
  std::string actor_id;
  std::string actor_name;
};

struct Message {
  NotificationLevel level = NotificationLevel::info;
  std::string title;  // without emoji: "Deployment completed"
  std::string text;
  MessageContext about;
};

// A9.
std::string_view emoji_of(NotificationLevel level);

// A8: "✅ Deployment completed", "⚠️ [R] Container restart suppressed".
std::string full_title(const Message& message);

// The built-in body: the text, then what it is about. Vectors 1 and 2 of api 6.3.
std::string default_body(const Message& message);

// Foreign text as it may be sent: its lines kept, other control bytes and broken UTF-8 escaped, at most 16 KiB.
std::string sendable(std::string_view text);

}  // namespace windlass
