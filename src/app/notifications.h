// The notifier as the settings want it.
#pragma once

#include <memory>

#include "app/state_folder.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "config/notification_settings.h"
#include "jobs/queue.h"
#include "model/observer.h"
#include "notify/notifier.h"
#include "sys/http_client.h"

namespace windlass {

// "failed to configure notifications: …" for a template that is none.
Result<Notifier::Recipient> recipient_of(const NotificationSettings& settings);

struct NotifierParts {
  const StateFolder& state;
  JobQueue& queue;  // created the state file, and has checked it
  HttpTransport& transport;
  const Clock& clock;
  Observer& observer;
  Log log;
};
// Null where nobody is to be told. Jobs that the queue failed as it opened are told of like others of an earlier life.
Result<std::unique_ptr<Notifier>> open_notifier(const NotificationSettings& settings, const NotifierParts& parts);

}  // namespace windlass
