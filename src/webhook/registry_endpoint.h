// Registries' own webhooks: whose request it is, whether its credential fits, and what becomes of its events
// (registry-events 3.1).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "jobs/queue.h"
#include "model/registry_hook.h"
#include "sys/http_client.h"
#include "sys/http_server.h"
#include "webhook/allow_list.h"
#include "webhook/answers.h"
#include "webhook/recent_pushes.h"
#include "webhook/registry/credential.h"
#include "webhook/registry/detection.h"
#include "webhook/registry/event.h"

namespace windlass {

class RegistryEndpoint {
 public:
  struct Options {
    std::vector<RegistryHook> hooks;             // REGISTRY_WEBHOOKS; none: no request is a registry's
    std::vector<std::string> allowed_artifacts;  // OCI_ALLOWED_ARTIFACTS
    std::shared_ptr<RecentPushes> recent = std::make_shared<RecentPushes>();
  };
  // `transport` fetches the keys of signed tokens. All must outlive the endpoint; `queue` may call back until it has
  // stopped.
  RegistryEndpoint(Options options, JobQueue& queue, HttpTransport& transport, const Clock& clock, Log log);

  bool is_enabled() const { return !entries_.empty(); }

  struct Verdict {
    enum class Kind {
      not_ours,  // the native handling goes on
      denied,    // nobody we know: `answer`
      refused,   // somebody we know, but it cannot be read: `answer`
      read,      // `events`, for answer_events()
    };
    Kind kind = Kind::not_ours;
    WebhookAnswer answer{};
    std::string told{};     // to our log instead of what is answered, "" for the same
    std::size_t entry = 0;  // of REGISTRY_WEBHOOKS
    std::vector<RegistryEvent> events{};
  };
  Verdict judge(const ServerRequest& request);

  // Makes a job of every push that may be deployed, and answers when they are on disk, or at once when there is none.
  void answer_events(Verdict verdict, const ServerRequest& request, const std::string& target, std::string request_id,
                     Responder respond);

 private:
  struct Entry {
    explicit Entry(const RegistryHook& hook, GoogleTokens* tokens);
    const RegistryHook& hook;
    RegistryCredential credential;
    std::vector<std::string> allow;  // canonical
  };
  Verdict judge(const ServerRequest& request, RegistryFormat format, const std::optional<json::value>& body);
  bool is_known(const ServerRequest& request);
  bool may_deploy(const Entry& entry, const std::string& artifact, const std::string& target) const;
  void accept_all(std::vector<RegistryEvent> events, const std::string& target, std::string request_id,
                  Responder respond);

  const Options options_;
  AllowList allowed_;
  JobQueue& queue_;
  Log log_;
  std::unique_ptr<GoogleTokens> tokens_;
  std::vector<std::unique_ptr<Entry>> entries_;
};

}  // namespace windlass
