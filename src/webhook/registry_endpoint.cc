#include "webhook/registry_endpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <set>
#include <utility>

#include "base/text.h"
#include "oci/reference.h"
#include "sys/crypto.h"
#include "sys/query.h"
#include "webhook/glob.h"
#include "webhook/registry/adapters.h"
#include "webhook/registry_answer.h"

namespace windlass {
namespace {

using Verdict = RegistryEndpoint::Verdict;

constexpr std::size_t kPushesMax = 1'000;  // of one request: all of them become jobs at once

// What is read of strangers' requests, to see whose they are. JSON takes many times its size in memory, and no
// registry's credential needs a look into it.
constexpr std::size_t kStrangersBytesMax = 64 << 10;

// "Docker.io/Team/*:Main" as "index.docker.io/team/*:Main": names are in lower case, tags as they are.
std::string canonical_glob(std::string_view text) {
  text = trim(text);
  const auto slash = text.rfind('/');
  const auto colon = text.find(':', slash == text.npos ? 0 : slash);
  const auto name_end = slash == text.npos ? text.size() : std::min(colon, text.size());
  auto glob = lower(text.substr(0, name_end)) + std::string(text.substr(name_end));
  if (glob.starts_with("docker.io/")) glob.insert(0, "index.");
  return glob;
}

bool names_a_tag(std::string_view glob) {
  const auto slash = glob.rfind('/');
  return slash != glob.npos && glob.find(':', slash) != glob.npos;
}

WebhookAnswer unknown_format(std::string_view name) {
  return {
      .status = 400,
      .error = "invalid parameter: format",
      .content = fmt::format("\"{}\" is none of {}", printable(name, 64), fmt::join(registry_format_names(), ", "))};
}

WebhookAnswer other_format(RegistryFormat wanted) {
  return {.status = 400,
          .error = "unexpected format",
          .content = fmt::format("the request is not of the format {}", to_string(wanted))};
}

WebhookAnswer too_many_pushes() {
  return {.status = 400,
          .error = "too many events",
          .content = fmt::format("a request may hold {} different pushes", kPushesMax)};
}

JobRequest job_for(const RegistryEvent& event, const std::string& target) {
  const auto reference = *Reference::parse(event.artifact);  // the adapter has seen to that
  JobRequest job{.source = SourceType::oci,
                 .trigger = Trigger::webhook,
                 .artifact = event.artifact,
                 .source_id = reference.source_id(),
                 .repository = reference.repository(),
                 .ref = reference.identifier(),
                 .ref_is_digest = reference.digest().has_value(),
                 .target = target,
                 .cause = std::string(kRegistryEventCause)};
  if (auto digest = Digest::parse(event.digest)) job.digest = *std::move(digest);
  return job;
}

Verdict stranger(std::string told) {
  return {.kind = Verdict::Kind::denied, .answer = wrong_signature(Sender::oci), .told = std::move(told)};
}

// One request on its way: answered when the queue has taken or refused all of its jobs.
class Taking {
 public:
  Taking(std::vector<TakenPush> pushes, std::vector<RegistryEvent> ignored, std::size_t expected,
         std::string request_id, Responder respond)
      : pushes_(std::move(pushes)),
        ignored_(std::move(ignored)),
        expected_(expected),
        request_id_(std::move(request_id)),
        respond_(std::move(respond)) {}

  // From the queue's thread.
  void taken(const JobQueue::Accepted& result) {
    const std::lock_guard lock(mutex_);
    if (result.refusal && !refusal_) refusal_ = not_accepted(*result.refusal, result.reason);
    if (--expected_ == 0) answer();
  }
  // When there is nothing to wait for.
  void answer() const {
    // What was taken beside a refused one stays; the sender repeats the request, which has no effect on it.
    if (refusal_) return respond_(refusal_->response(request_id_));
    respond_(registry_answer(pushes_, ignored_, request_id_));
  }

 private:
  std::mutex mutex_;
  const std::vector<TakenPush> pushes_;
  const std::vector<RegistryEvent> ignored_;
  std::size_t expected_;
  std::optional<WebhookAnswer> refusal_;
  const std::string request_id_;
  const Responder respond_;
};

}  // namespace

RegistryEndpoint::Entry::Entry(const RegistryHook& hook, GoogleTokens* tokens) : hook(hook), credential(hook, tokens) {
  for (const auto& glob : hook.allow) allow.push_back(canonical_glob(glob));
}

RegistryEndpoint::RegistryEndpoint(Options options, JobQueue& queue, HttpTransport& transport, const Clock& clock,
                                   Log log)
    : options_(std::move(options)), allowed_(options_.allowed_artifacts), queue_(queue), log_(std::move(log)) {
  const auto& hooks = options_.hooks;
  if (std::any_of(hooks.begin(), hooks.end(), [](const auto& hook) { return hook.wants_signed_token(); }))
    tokens_ = std::make_unique<GoogleTokens>(hooks, transport, clock, log_);
  for (const auto& hook : hooks) entries_.push_back(std::make_unique<Entry>(hook, tokens_.get()));
}

Verdict RegistryEndpoint::judge(const ServerRequest& request) {
  if (!is_enabled()) return {};
  const bool is_handshake = request.method == "OPTIONS" && !request.header("WebHook-Request-Origin").empty();
  if (!is_handshake && (request.method != "POST" || request.body_fault != BodyFault::none || request.body.empty()))
    return {};
  const auto pinned = query_value(request.query, "format").value_or("");
  const auto by_header = detect_by_header(request);
  if (pinned.empty() && by_header && by_header->kind == Detected::Kind::native) return {};
  const bool is_read = request.body.size() <= kStrangersBytesMax || is_known(request);
  std::optional<json::value> body;
  if (is_read)
    if (auto parsed = parse_json(request.body)) body = *std::move(parsed);
  const auto detected = detect_sender(request, body);
  // Whose it would be nobody knows then; what is signed natively is judged by that.
  if (!is_read && pinned.empty() && detected.kind == Detected::Kind::unknown && !has_native_signature(request))
    return stranger("the signature or credential in the request is that of no entry in REGISTRY_WEBHOOKS");
  if (pinned.empty())
    return detected.kind == Detected::Kind::registry ? judge(request, detected.format, body) : Verdict{};

  const auto format = parse_registry_format(pinned);
  if (!format) return {.kind = Verdict::Kind::denied, .answer = unknown_format(pinned)};
  const bool is_other = detected.kind == Detected::Kind::native ||
                        (detected.kind == Detected::Kind::registry && detected.format != *format);
  if (is_other) return {.kind = Verdict::Kind::denied, .answer = other_format(*format)};
  return judge(request, *format, body);
}

bool RegistryEndpoint::is_known(const ServerRequest& request) {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const auto& entry) { return entry->credential.fits(request); });
}

Verdict RegistryEndpoint::judge(const ServerRequest& request, RegistryFormat format,
                                const std::optional<json::value>& body) {
  bool is_known = false;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    auto& entry = *entries_[i];
    if (entry.hook.format != format) continue;
    is_known = true;
    if (!entry.credential.fits(request)) continue;
    Verdict verdict{.kind = Verdict::Kind::read, .entry = i};
    if (request.method == "OPTIONS") return verdict;
    if (!body)
      return {.kind = Verdict::Kind::refused,
              .answer = bad_payload({"failed to parse payload", "failed to parse payload: the body is no JSON"})};
    verdict.events = adapter_of(format)({request, *body}, entry.hook);
    return verdict;
  }
  // GitHub greets hooks of repositories with the same event: those are not ours (webhook/D9).
  if (request.header("X-GitHub-Event") == "ping") return {};
  if (!is_known) return {};
  return stranger(fmt::format(
      "the signature or credential in the request is that of no entry with the format {} in REGISTRY_WEBHOOKS",
      to_string(format)));
}

bool RegistryEndpoint::may_deploy(const Entry& entry, const std::string& artifact, const std::string& target) const {
  const auto reference = Reference::parse(artifact);
  if (!reference) return false;
  const auto source = reference->source_id();
  const auto tagged = source + ":" + reference->tag();
  return allowed_.allows(*reference, target) &&
         std::any_of(entry.allow.begin(), entry.allow.end(), [&](const std::string& glob) {
           // What a digest names may be behind any tag, whichever stands beside it.
           if (names_a_tag(glob)) return !reference->digest() && glob_matches(glob, tagged);
           return glob_matches(glob, source);
         });
}

void RegistryEndpoint::answer_events(Verdict verdict, const ServerRequest& request, const std::string& target,
                                     std::string request_id, Responder respond) {
  if (request.method == "OPTIONS")
    return respond(handshake_answer(request.header("WebHook-Request-Origin"), request_id));
  const auto& entry = *entries_[verdict.entry];
  for (auto& event : verdict.events)
    if (!event.ignored && !may_deploy(entry, event.artifact, target))
      event = RegistryEvent::pass_over(Ignored::not_allowed, event.artifact);
  if (log_.enabled(LogLevel::debug))
    for (const auto& event : verdict.events)
      if (event.ignored)
        log_.debug("registry event ignored", {{"job_id", request_id},
                                              {"format", to_string(entry.hook.format)},
                                              {"reason", to_string(*event.ignored)},
                                              {"detail", event.detail}});
  accept_all(std::move(verdict.events), target, std::move(request_id), std::move(respond));
}

void RegistryEndpoint::accept_all(std::vector<RegistryEvent> events, const std::string& target, std::string request_id,
                                  Responder respond) {
  struct NewJob {
    std::string id;
    RegistryEvent event;
  };
  std::vector<TakenPush> taken;
  std::set<std::pair<std::string, std::string>> seen;  // artifact and digest
  std::vector<RegistryEvent> ignored;
  std::vector<NewJob> jobs;
  for (auto& event : events) {
    if (event.ignored) {
      ignored.push_back(std::move(event));
      continue;
    }
    if (!seen.emplace(event.artifact, event.digest).second) continue;  // twice in one request counts once
    if (seen.size() > kPushesMax) return respond(too_many_pushes().response(request_id));
    const auto known = options_.recent->job_of({event.artifact, event.digest, target});
    auto job_id = known.value_or(new_uuid_v7());
    taken.push_back({job_id, event.artifact, event.digest});
    if (!known) jobs.push_back({std::move(job_id), std::move(event)});
  }
  const auto answer = std::make_shared<Taking>(std::move(taken), std::move(ignored), jobs.size(), std::move(request_id),
                                               std::move(respond));
  if (jobs.empty()) return answer->answer();
  for (const auto& [job_id, event] : jobs) {
    const RecentPushes::Push push{event.artifact, event.digest, target};
    queue_.accept(
        job_id, job_for(event, target),
        [answer, recent = options_.recent, push, job_id = job_id](const JobQueue::Accepted& result) {
          if (!result.refusal) recent->accepted(push, job_id);
          answer->taken(result);
        },
        [recent = options_.recent, job_id = job_id](const RunRecord&, const JobOutcome&) { recent->ended(job_id); });
  }
}

}  // namespace windlass
