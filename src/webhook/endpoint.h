// The webhook endpoint: a signed request becomes a job (webhook 1 to 6, 11).
//
// handle() checks in a fixed order, because that order decides what a doubly wrong request is told (webhook 4): method,
// body, signature, target, sender, JSON, fields, allow-list, and then the queue. Before the signature is known to be
// right nothing is recorded and at most one line a second and address is logged (reliability/P14); after it, every
// refusal leaves a failed run.
//
// Not here: what a job does (deploy/), the lines that tell of its start and end (app/).
#pragma once

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
  struct Options {
    Secret secret;                               // empty: native payloads have no endpoint (webhook/A1)
    Secret previous;                             // WEBHOOK_SECRET_PREVIOUS: also right, during a rotation
    std::vector<std::string> allowed_artifacts;  // OCI_ALLOWED_ARTIFACTS
    std::vector<std::string> trusted_proxies;    // CIDRs, checked by the settings
    std::string trusted_header;                  // TRUSTED_PROXY_HEADER
    std::vector<RegistryHook> registry_hooks;    // REGISTRY_WEBHOOKS
    Observer* observer = &Observer::nobody();    // of the answers
  };

  // `queue` may call back until it has stopped: the endpoint must live until then.
  WebhookEndpoint(Options options, JobQueue& queue, HttpTransport& transport, const Clock& clock, Log log);

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
  void turn_away(const Call& call, const WebhookAnswer& answer);
  void refuse(const Call& call, const Refused& refused) const;  // from any thread
  void accept(JobRequest job, Call call);
  // True when the request is a registry's: it is or will be answered.
  bool answer_registry(Call& call);

  bool is_enabled_;
  Observer& observer_;
  SignatureCheck signatures_;
  AllowList allowed_;
  RegistryEndpoint registries_;
  ClientAddresses addresses_;
  JobQueue& queue_;
  const Clock& clock_;
  Log log_;
  RateLimit lines_{1, std::chrono::seconds(1)};  // of requests that are not authenticated
};

}  // namespace windlass
