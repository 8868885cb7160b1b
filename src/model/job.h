// What a trigger asks for, the job made of it, and how it ends. No job code sees a request or a response.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/digest.h"
#include "model/run.h"
#include "model/stack_id.h"

namespace windlass {

enum class SourceType { oci };

inline constexpr std::string_view kRetryCause = "retry";  // of a job that failed by a fault that passes (webhook/C11)
inline constexpr std::string_view kRollbackCause = "rollback";
inline constexpr std::string_view kRepairCause = "repair";  // of what was changed by hand while the registry is away
inline constexpr std::string_view kReconcileCause = "reconcile";           // a container changed without us
inline constexpr std::string_view kRegistryEventCause = "registry event";  // a registry announced it in its own words

struct JobRequest {
  SourceType source = SourceType::oci;
  Trigger trigger = Trigger::webhook;
  std::string artifact;    // the reference as the sender wrote it, trimmed
  std::string source_id;   // canonical "host[:port]/path", identity of the source
  std::string repository;  // full name without host (webhook 6.3)
  std::string ref;         // tag, or "sha256:…" when the artifact was given by digest
  bool ref_is_digest = false;
  std::optional<Digest> digest;  // the manifest digest the sender announced (P of webhook 14)
  std::string target;            // deploy-config target, empty: none
  std::string cause;             // one of the above, else empty
  std::string service;           // with kReconcileCause: "<StackId::str()> <service>", which gets a new container
  std::string parent;            // id of the run that this one belongs to (api/E12), else empty
  // Inline deployments as canonical JSON, in place of the artifact's deploy config (config 5); empty: none. May hold
  // environment values that are nobody's business: never in a log, a record or an answer.
  std::string deployments;
};

// Jobs of one lane run in order: one source and ref; all references by digest of a source are one ref (webhook/C1).
std::string lane_of(const JobRequest& request);
// The lane of all references by digest of a source.
bool is_lane_of_digests(std::string_view lane);
std::string_view source_of_lane(std::string_view lane);

// What of its lane a request is about: its target, and inline deployments, because they are another configuration.
// A waiting job takes the place of an older one of its lane and scope only (webhook/C4).
std::string scope_of(const JobRequest& request);

// The service of the stack that the request wants anew, "" if none.
std::string service_to_recreate(const JobRequest& request, const StackId& stack);

// Does it bring back what is deployed already, as it was, rather than deploy something? `digest` is then of that.
bool is_repair(const JobRequest& request);

// Does it bring a release back that an operator named? `digest` is then of that release (api/E49).
bool is_rollback(const JobRequest& request);

// The `repository` of the run record: host/path for polls, else without the host (api 3).
const std::string& shown_repository(const JobRequest& request);

// What the request means once its digest is settled: "<ref> (<digest>)", or the digest alone.
std::string revision_to(const JobRequest& request, const Digest& settled);

// "<ref> (<digest>)", or whichever half exists (webhook/X8).
std::string revision_of(const JobRequest& request);

struct Job {
  std::string id;  // UUIDv7 text
  JobRequest request;
  std::vector<Digest> replaced_digests;  // of the waiting jobs that this one took the place of (webhook/C8, P1)
  int attempts = 1;                      // counts this one
};

// The step a job failed in; the sync answer and the run message are chosen by it (webhook/R26 to R34).
enum class FailedStep {
  none,
  daemon_mode,  // failed to check if docker host is running in swarm mode
  path,         // failed to verify and sanitize internal filesystem path
  repository,   // invalid repository name
  config,       // failed to get deploy configuration
  resolve,      // failed to resolve oci artifact digest
  trust,        // failed OCI signature verification
  pull,         // failed to pull oci artifact
  deployment,   // deployment failed
  interrupted,  // stands alone: "interrupted by restart"
  internal,     // internal error
};

// The `error` text of webhook 11 for a step; empty where the reason stands alone.
std::string_view error_text(FailedStep step);

struct JobOutcome {
  RunStatus status = RunStatus::succeeded;  // a final one
  FailedStep failed_step = FailedStep::none;
  // succeeded: "job completed successfully…"; skipped: the reason; failed: the reason without the step's error text
  std::string message;
  std::vector<StackResult> stacks;
  bool passing_fault =
      false;  // failed by something that passes (connect, 5xx, engine away): the lane is tried again (C11)

  static JobOutcome failed(FailedStep step, std::string reason, bool passing_fault = false);
  static JobOutcome skipped(std::string reason);
  // The message of the run record: "<error text>: <message>" for failures (webhook 11, below the table).
  std::string run_message() const;
};

}  // namespace windlass
