// A webhook that is ready to be sent: what can be wrong on the caller's side is known before an artifact is pushed.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "cli/webhook_call.h"
#include "config/settings.h"

namespace windlass {

// Whom to tell and how: the options that `send` and `push --notify` share.
struct NotifyOptions {
  std::string url;  // --url, --notify; "": WEBHOOK_URL
  std::string target;
  std::string secret_file;
  bool waits = false;
  std::chrono::milliseconds timeout{0};  // of all attempts together; 0: 5 min, 45 min when it waits
};

class Announcement {
 public:
  // Kind::invalid: no URL, one that cannot be, no secret, a target that no service takes (webhook/A6).
  static Result<Announcement> prepare(const NotifyOptions& options, const Environment& environment);

  Result<WebhookOutcome> send(const Reference& reference, const Digest& digest, HttpTransport& transport,
                              const std::function<void(std::string_view)>& say) const;

 private:
  Announcement(NotifyOptions options, Secret secret) : options_(std::move(options)), secret_(std::move(secret)) {}
  NotifyOptions options_;
  Secret secret_;
};

}  // namespace windlass
