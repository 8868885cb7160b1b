#include "webhook/endpoint.h"

#include <utility>

#include "base/text.h"
#include "sys/crypto.h"
#include "sys/query.h"
#include "webhook/oci_payload.h"
#include "webhook/target.h"

namespace windlass {
namespace {

constexpr std::string_view kRegistry = "registry";
constexpr std::string_view kUnknown = "unknown";

// webhook/Q1 to Q5
bool wants_to_wait(std::string_view query) {
  const auto wait = query_value(query, "wait");
  return wait && (*wait == "1" || lower(*wait) == "true");
}

// A record of a request that was authenticated, but never became a job.
RunRecord refused_run(const std::string& job_id, const JobRequest& request, const WebhookAnswer& answer, WallTime now) {
  return {.job_id = job_id,
          .trigger = Trigger::webhook,
          .status = RunStatus::failed,
          .repository = request.repository.empty() ? std::string(kUnknown) : request.repository,
          .source = request.source_id,
          .target = request.target,
          .revision = revision_of(request),
          .message = answer.run_message(),
          .created_at = now,
          .updated_at = now,
          .started_at = now,
          .finished_at = now};
}

}  // namespace

// A request on its way to an answer.
struct WebhookEndpoint::Call {
  std::string job_id;
  ServerRequest request;
  Responder respond;
  std::string_view provider = kUnknown;  // of Observer::webhook_answered()
};

// A request that came from somebody who knows the secret, and is refused all the same.
struct WebhookEndpoint::Refused {
  WebhookAnswer answer;
  JobRequest about{};  // as far as it was understood
};

class WebhookEndpoint::Gate {
 public:
  Gate(const Senders& senders, RegistryEndpoint::Options options, const WebhookEndpoint& endpoint)
      : is_open(!senders.secret.empty() || !senders.registry_hooks.empty()),
        signatures(senders.secret, senders.previous),
        registries(std::move(options), endpoint.queue_, endpoint.transport_, endpoint.clock_, endpoint.log_) {}

  const bool is_open;
  SignatureCheck signatures;
  RegistryEndpoint registries;
};

WebhookEndpoint::WebhookEndpoint(Options options, JobQueue& queue, HttpTransport& transport, const Clock& clock,
                                 Log log)
    : allowed_artifacts_(std::move(options.allowed_artifacts)),
      observer_(*options.observer),
      allowed_(allowed_artifacts_),
      addresses_(ClientAddresses::make(options.trusted_proxies, options.trusted_header).value_or(ClientAddresses())),
      queue_(queue),
      transport_(transport),
      clock_(clock),
      log_(std::move(log)),
      gate_(gate_for(options.senders)) {}

std::shared_ptr<WebhookEndpoint::Gate> WebhookEndpoint::gate_for(const Senders& senders) const {
  RegistryEndpoint::Options registries{
      .hooks = senders.registry_hooks, .allowed_artifacts = allowed_artifacts_, .recent = recent_};
  return std::make_shared<Gate>(senders, std::move(registries), *this);
}

std::shared_ptr<WebhookEndpoint::Gate> WebhookEndpoint::use(std::shared_ptr<Gate> gate) {
  return std::exchange(gate_, std::move(gate));
}

bool WebhookEndpoint::serves(std::string_view path) const { return gate_->is_open && is_webhook_path(path); }

void WebhookEndpoint::handle(ServerRequest request, Responder respond) {
  Call call{new_uuid_v7(), std::move(request), std::move(respond)};
  if (log_.enabled(LogLevel::debug)) log_.debug("received webhook event", {{"job_id", call.job_id}});  // L1

  if (gate_->registries.is_enabled() && answer_registry(call)) return;
  std::optional<Sender> sender;
  const auto answer = authenticate(call.request, sender);
  if (sender) call.provider = to_string(*sender);
  if (answer) return turn_away(call, *answer);
  auto job = job_request(call.request, *sender);
  if (!job) return refuse(call, job.error());
  accept(std::move(*job), std::move(call));
}

bool WebhookEndpoint::answer_registry(Call& call) {
  auto verdict = gate_->registries.judge(call.request);
  switch (verdict.kind) {
    case RegistryEndpoint::Verdict::Kind::not_ours:
      return false;
    case RegistryEndpoint::Verdict::Kind::denied:
      call.provider = kRegistry;
      turn_away(call, verdict.answer, verdict.told);
      return true;
    case RegistryEndpoint::Verdict::Kind::refused:
      call.provider = kRegistry;
      refuse(call, {verdict.answer});
      return true;
    case RegistryEndpoint::Verdict::Kind::read:
      call.provider = kRegistry;
      break;
  }
  const auto target = target_of(call.request.path);
  if (!target)
    refuse(call, {invalid_target()});
  else
    gate_->registries.answer_events(
        std::move(verdict), call.request, *target, call.job_id,
        [this, respond = call.respond](ServerResponse response) {
          const bool good = response.status < 300;
          observer_.webhook_answered(kRegistry, kUnknown, good ? WebhookResult::accepted : WebhookResult::rejected);
          respond(std::move(response));
        });
  return true;
}

std::optional<WebhookAnswer> WebhookEndpoint::authenticate(const ServerRequest& request,
                                                           std::optional<Sender>& sender) {
  if (request.method != "POST") return method_not_allowed();
  if (request.body_fault != BodyFault::none) return unreadable_body(request.body_fault);
  if (request.body.empty()) return empty_body();
  const auto verdict = gate_->signatures.judge(request);
  if (verdict.kind != SignatureVerdict::Kind::missing) sender = verdict.sender;
  switch (verdict.kind) {
    case SignatureVerdict::Kind::missing:
      return missing_signature();
    case SignatureVerdict::Kind::wrong:
      return wrong_signature(verdict.sender);
    case SignatureVerdict::Kind::good:
      return std::nullopt;
  }
  return missing_signature();
}

tl::expected<JobRequest, WebhookEndpoint::Refused> WebhookEndpoint::job_request(const ServerRequest& request,
                                                                                Sender sender) const {
  const auto refused = [](WebhookAnswer answer, JobRequest about = {}) {
    return tl::unexpected(Refused{std::move(answer), std::move(about)});
  };
  const auto target = target_of(request.path);
  if (!target) return refused(invalid_target());
  if (sender != Sender::oci) return refused(git_not_enabled(), {.target = *target});
  auto payload = parse_oci_payload(request.body);
  if (!payload) return refused(bad_payload(payload.error()), {.target = *target});

  const auto& reference = payload->reference;
  JobRequest job{.source = SourceType::oci,
                 .trigger = Trigger::webhook,
                 .artifact = std::move(payload->artifact),
                 .source_id = reference.source_id(),
                 .repository = reference.repository(),
                 .ref = reference.identifier(),
                 .ref_is_digest = reference.digest().has_value(),
                 .digest = std::move(payload->digest),
                 .target = *target};
  if (!allowed_.allows(reference, *target)) return refused(artifact_not_allowed(reference), std::move(job));
  return job;
}

// Nobody we know: nothing is kept of it.
void WebhookEndpoint::turn_away(const Call& call, const WebhookAnswer& answer, std::string_view told) {
  const auto ip = addresses_.of(call.request);
  if (lines_.count(addresses_.counted_as(call.request), clock_.steady_now()))
    log_.error(answer.error,
               {{"job_id", call.job_id}, {"ip", ip}, {"error", told.empty() ? answer.content : told}});  // L4
  const bool is_stranger = answer.status == 401 || answer.status == 403;
  observer_.webhook_answered(call.provider, kUnknown,
                             is_stranger ? WebhookResult::unauthorized : WebhookResult::rejected);
  call.respond(answer.response(call.job_id));
}

void WebhookEndpoint::refuse(const Call& call, const Refused& refused) const {
  const auto& [answer, about] = refused;
  log_.error(answer.error, {{"job_id", call.job_id}, {"ip", addresses_.of(call.request)}, {"error", answer.content}});
  auto run = refused_run(call.job_id, about, answer, clock_.now());
  observer_.webhook_answered(call.provider, run.repository, WebhookResult::rejected);
  queue_.record(std::move(run));
  call.respond(answer.response(call.job_id));
}

void WebhookEndpoint::accept(JobRequest job, Call call) {
  const auto job_id = call.job_id;
  const bool wait = wants_to_wait(call.request.query);
  JobQueue::OnFinished finished;
  if (wait)
    finished = [job_id, respond = call.respond](const RunRecord&, const JobOutcome& outcome) {
      respond(job_ended(outcome, job_id).response(job_id));
    };
  auto accepted = [this, wait, about = job, call = std::move(call)](const JobQueue::Accepted& result) {
    if (result.refusal) return refuse(call, {not_accepted(*result.refusal, result.reason), about});
    observer_.webhook_answered(call.provider, about.repository, WebhookResult::accepted);
    if (!wait) call.respond(job_accepted().response(result.job_id));
  };
  queue_.accept(job_id, std::move(job), std::move(accepted), std::move(finished));
}

}  // namespace windlass
