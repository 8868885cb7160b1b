// Reading the settings again, all of them or none (config 1, 14 #16).
//
// Everything is read, checked and built first, as at the start. Only when there is nothing wrong with any of it the
// parts get what is new: the HTTP servers between two requests, so that none sees half of it; jobs, polls and messages
// with the next one that begins. Nothing that was accepted is lost.
//
// On a thread of its own: reading a file may take long, and nobody who asks for it has to wait.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "api/endpoint.h"
#include "app/deployer.h"
#include "app/listeners.h"
#include "app/reread_settings.h"
#include "base/log.h"
#include "base/result.h"
#include "config/settings.h"
#include "notify/notifier.h"
#include "poll/poller.h"
#include "sys/tls_identity.h"
#include "webhook/endpoint.h"

namespace windlass {

class Reloader {
 public:
  struct Parts {
    const Environment& environment;
    Deployer& deployer;
    Poller& poller;
    Notifier* notifier;  // null: nobody is told
    WebhookEndpoint& webhook;
    ApiEndpoint& api;
    Listeners& listeners;
    Log log;
  };

  // `settings` and `tls` are what the parts were made with.
  Reloader(Parts parts, Settings settings, std::optional<TlsIdentity> tls);
  ~Reloader() { stop(); }

  // Returns at once. However often it is asked while a reload is under way, one more follows.
  void ask();
  // Once the deployer has been checked: what was asked for until then is done now.
  void start();
  // No reload begins any more; returns when the one under way has ended.
  void stop();

 private:
  struct Next;
  void work(const std::stop_token& stop);
  void reload(const std::stop_token& stop);
  Result<Next> prepare();
  void put_into_effect(Next next, const std::stop_token& stop);
  void hand_to_servers(Next& next, const std::stop_token& stop);

  const Parts parts_;
  Settings settings_;  // that count now
  std::optional<TlsIdentity> tls_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool is_wanted_ = false;  // guarded by mutex_
  std::jthread thread_;
};

}  // namespace windlass
