// Sends the signed webhook (webhook 2, 5, 6) and says in words what the service answered.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "base/secret.h"
#include "model/digest.h"
#include "oci/reference.h"
#include "sys/http_client.h"

namespace windlass {

struct WebhookCall {
  std::string url;     // of the service, or of its endpoint: without a path /v1/webhook is meant
  std::string target;  // "" for none
  std::string artifact;
  Digest digest;
  bool waits = false;  // for the end of the deployment (webhook 3)
};

struct WebhookRetries {
  int attempts_max = 6;
  std::chrono::milliseconds backoff_base{1'000};
  std::chrono::milliseconds backoff_max{30'000};
};

struct WebhookOutcome {
  std::string message;  // "job accepted", "job completed successfully", "job skipped: …"
  std::string job_id;
};

// "https://cd.example/v1/webhook/prod?wait=true"; Kind::invalid for what is no URL of an endpoint.
Result<std::string> webhook_url(const WebhookCall& call);

// {"source":"oci",…}, the bytes that are signed.
std::string webhook_body(const WebhookCall& call);

// "sha256=…", the value of X-Doco-OCI-Signature-256.
std::string webhook_signature(const std::string& body, const Secret& secret);

// What to send for a reference: its tag, or the digest where it has no tag.
std::string artifact_of(const Reference& reference);

// Sends until there is an answer that counts: connections that fail and 408, 429, 502, 503 and 504 are asked again,
// with growing pauses or as Retry-After says; sending twice does no harm, the digest is what is deployed. Everything
// else is an error whose message says what to do, in wait mode also that the deployment failed, and why, and that the
// digest was not deployed because another one was (Kind::conflict).
Result<WebhookOutcome> call_webhook(const WebhookCall& call, const Secret& secret, HttpTransport& transport,
                                    const WebhookRetries& retries, const std::function<void(std::string_view)>& say,
                                    const Deadline& deadline);

}  // namespace windlass
