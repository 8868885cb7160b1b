#include "cli/announcement.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/secrets.h"
#include "model/target.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kTimeout = 5min;  // the service answers at once, or is being restarted
// About 165 s of pauses: a service that is updated or restarted is back by then, and a wrong port is told
// before the time to wait for a deployment is over.
constexpr WebhookRetries kRetries{.attempts_max = 16};
constexpr std::chrono::milliseconds kWaitTimeout = 45min;  // JOB_TIMEOUT is 30 min, and there may be a job before it

std::string url_of(const NotifyOptions& options, const Environment& environment) {
  if (!options.url.empty()) return options.url;
  const auto found = environment.find("WEBHOOK_URL");
  return found == environment.end() ? "" : found->second;
}

WebhookCall call_of(const NotifyOptions& options, const std::string& artifact, const Digest& digest) {
  return {.url = options.url, .target = options.target, .artifact = artifact, .digest = digest, .waits = options.waits};
}

}  // namespace

Result<Announcement> Announcement::prepare(const NotifyOptions& options, const Environment& environment) {
  auto settled = options;
  settled.url = url_of(options, environment);
  if (settled.url.empty()) return fail(Kind::invalid, "no URL of a webhook: give --url or WEBHOOK_URL");
  if (!is_target(settled.target))  // the service says the same, but only after the push
    return fail(Kind::invalid, fmt::format("target '{}' must match {}", printable(settled.target, 200), kTargetRule));
  const auto any = Digest::of_sha256_hex(std::string(64, '0'));
  if (auto url = webhook_url(call_of(settled, "", any)); !url) return tl::unexpected(url.error());
  if (settled.timeout == 0ms) settled.timeout = settled.waits ? kWaitTimeout : kTimeout;
  auto secret = webhook_secret(settled.secret_file, environment);
  if (!secret) return while_doing("webhook secret", secret.error());
  return Announcement(std::move(settled), std::move(*secret));
}

Result<WebhookOutcome> Announcement::send(const Reference& reference, const Digest& digest, HttpTransport& transport,
                                          const std::function<void(std::string_view)>& say) const {
  return call_webhook(call_of(options_, artifact_of(reference), digest), secret_, transport, kRetries, say,
                      Deadline::in(options_.timeout));
}

}  // namespace windlass
