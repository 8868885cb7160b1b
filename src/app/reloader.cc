#include "app/reloader.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <utility>

#include "app/notifications.h"
#include "app/secret_masks.h"
#include "app/start_checks.h"
#include "base/recover.h"
#include "base/text.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

constexpr auto kLookForAStop = 50ms;

bool has_senders(const std::vector<std::string>& changed) {
  return std::ranges::any_of(changed, [](const auto& variable) {
    return variable.starts_with("WEBHOOK_SECRET") || variable.starts_with("REGISTRY_WEBHOOKS");
  });
}

}  // namespace

// All that is new, made and good.
struct Reloader::Next {
  RereadSettings read;
  std::optional<TlsIdentity> tls;
  std::shared_ptr<Deployer::Course> course;
  std::optional<Notifier::Recipient> recipient{};
  std::shared_ptr<WebhookEndpoint::Gate> gate{};  // null: the one that is there knows keys already, and stays
};

Reloader::Reloader(Parts parts, Settings settings, std::optional<TlsIdentity> tls)
    : parts_(std::move(parts)), settings_(std::move(settings)), tls_(std::move(tls)) {}

void Reloader::ask() {
  {
    const std::lock_guard lock(mutex_);
    is_wanted_ = true;
  }
  changed_.notify_one();
}

void Reloader::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
}

void Reloader::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void Reloader::work(const std::stop_token& stop) {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [this] { return is_wanted_; })) return;
      is_wanted_ = false;
    }
    recovered(parts_.log, "reloading the settings", [&] { reload(stop); });
  }
}

void Reloader::reload(const std::stop_token& stop) {
  auto next = prepare();
  if (!next)
    return parts_.log.error("settings were not reloaded: those before still count", {{"error", next.error().message}});
  for (const auto& warning : next->read.warnings) parts_.log.warning("settings", {{"warning", warning}});
  if (next->read.changed.empty())
    return parts_.log.info("settings reloaded: no file of theirs has changed; variables change with a restart");
  put_into_effect(*std::move(next), stop);
}

Result<Reloader::Next> Reloader::prepare() {
  auto read = read_settings_again(parts_.environment, settings_, setting_checks(parts_.deployer.decryptor()));
  if (!read) return fail(Kind::invalid, join(read.error().faults, "; "));
  const auto& settings = read->settings;
  mask_secrets(settings, parts_.log);
  auto tls = tls_identity_of(settings);
  if (!tls) return tl::unexpected(tls.error());
  if (tls_ && (*tls)->certificate_hash != tls_->certificate_hash) read->changed.emplace_back("HTTP_TLS_CERT_FILE");
  if (tls_ && (*tls)->key_hash != tls_->key_hash) read->changed.emplace_back("HTTP_TLS_KEY_FILE");
  auto course = parts_.deployer.course_for(settings);
  if (!course) return tl::unexpected(course.error());
  Next next{.read = {}, .tls = *std::move(tls), .course = *std::move(course)};
  if (parts_.notifier != nullptr) {
    auto recipient = recipient_of(settings.notifications);
    if (!recipient) return tl::unexpected(recipient.error());
    next.recipient = *std::move(recipient);
  }
  if (has_senders(read->changed))
    next.gate = parts_.webhook.gate_for({.secret = settings.webhook_secret,
                                         .previous = settings.webhook_secret_previous,
                                         .registry_hooks = settings.registry_hooks});
  next.read = *std::move(read);
  return next;
}

// What a request leads to comes before who may ask for it: what a new sender announces is judged by the new policy.
void Reloader::put_into_effect(Next next, const std::stop_token& stop) {
  parts_.deployer.use(std::move(next.course));
  parts_.poller.use(next.read.settings.polls);
  if (next.recipient) parts_.notifier->use(*std::move(next.recipient));
  hand_to_servers(next, stop);
  settings_ = std::move(next.read.settings);
  tls_ = std::move(next.tls);
  parts_.log.info("settings reloaded", {{"changed", join(next.read.changed, ", ")}});
}

// Returns when they have it, or stop.
void Reloader::hand_to_servers(Next& next, const std::stop_token& stop) {
  const auto old_gate = std::make_shared<std::promise<std::shared_ptr<WebhookEndpoint::Gate>>>();
  auto has_taken = old_gate->get_future();
  auto& listeners = parts_.listeners;
  if (next.tls) listeners.metrics->post([server = listeners.metrics.get(), tls = *next.tls] { server->use(tls); });
  listeners.service->post([this, old_gate, gate = std::move(next.gate), tls = next.tls,
                           api_secret = next.read.settings.api_secret]() mutable {
    if (tls) parts_.listeners.service->use(*tls);
    parts_.api.use(api_secret);
    old_gate->set_value(gate ? parts_.webhook.use(std::move(gate)) : nullptr);
  });
  // The old gate goes on this thread: it may wait for somebody.
  while (!stop.stop_requested())
    if (has_taken.wait_for(kLookForAStop) == std::future_status::ready) return void(has_taken.get());
}

}  // namespace windlass
