// The webhook endpoint: a signed request becomes a job (webhook 1 to 6, 11).
//
// handle() checks in a fixed order, because that order decides what a doubly wrong request is told (webhook 4): method,
// body, signature, target, sender, JSON, fields, allow-list, and then the queue. Before the signature is known to be
// right nothing is recorded and at most one line a second and address is logged (reliability/P14); after it, every
// refusal leaves a failed run.
//
// Not here: what a job does (deploy/), the lines that tell of its start and end (app/).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "jobs/queue.h"
#include "model/observer.h"
#include "sys/client_address.h"
#include "sys/http_server.h"
#include "sys/rate_limit.h"
#include "webhook/allow_list.h"
#include "webhook/answers.h"
#include "webhook/registry_endpoint.h"
#include "webhook/signature.h"

namespace windlass {

class WebhookEndpoint {
 public:
  // Who may send, and how they prove it.
  struct Senders {
    Secret secret;                             // empty: native payloads have no endpoint (webhook/A1)
    Secret previous;                           // WEBHOOK_SECRET_PREVIOUS: also right, during a rotation
    std::vector<RegistryHook> registry_hooks;  // REGISTRY_WEBHOOKS
  };
  struct Options {
    Senders senders;
    std::vector<std::string> allowed_artifacts;  // OCI_ALLOWED_ARTIFACTS
    std::vector<std::string> trusted_proxies;    // CIDRs, checked by the settings
    std::string trusted_header;                  // TRUSTED_PROXY_HEADER
    Observer* observer = &Observer::nobody();    // of the answers
  };

  // `queue` may call back until it has stopped: the endpoint must live until then.
  WebhookEndpoint(Options options, JobQueue& queue, HttpTransport& transport, const Clock& clock, Log log);

  // What tells senders from strangers.
  class Gate;
  // From any thread, since it may take a moment.
  std::shared_ptr<Gate> gate_for(const Senders& senders) const;
  // Requests are judged by it from now on. On the server's thread. The one before is returned: it may have to wait for
  // an answer about keys before it is gone.
  std::shared_ptr<Gate> use(std::shared_ptr<Gate> gate);

  // Is this the path of the endpoint? Never, if there is neither a secret nor a registry that may announce pushes.
  bool serves(std::string_view path) const;
  // Answers a request for such a path. On the server's thread, without blocking.
  void handle(ServerRequest request, Responder respond);

 private:
  struct Call;
  struct Refused;
  // Everything up to the signature; nothing: it is right.
  std::optional<WebhookAnswer> authenticate(const ServerRequest& request, std::optional<Sender>& sender);
  tl::expected<JobRequest, Refused> job_request(const ServerRequest& request, Sender sender) const;
  // `told`: to the log instead of what is answered, "" for the same.
  void turn_away(const Call& call, const WebhookAnswer& answer, std::string_view told = "");
  void refuse(const Call& call, const Refused& refused) const;  // from any thread
  void accept(JobRequest job, Call call);
  // True when the request is a registry's: it is or will be answered.
  bool answer_registry(Call& call);

  const std::vector<std::string> allowed_artifacts_;
  Observer& observer_;
  AllowList allowed_;
  ClientAddresses addresses_;
  JobQueue& queue_;
  HttpTransport& transport_;
  const Clock& clock_;
  Log log_;
  std::shared_ptr<RecentPushes> recent_ = std::make_shared<RecentPushes>();
  std::shared_ptr<Gate> gate_;                   // of the server's thread
  RateLimit lines_{1, std::chrono::seconds(1)};  // of requests that are not authenticated
};

}  // namespace windlass
