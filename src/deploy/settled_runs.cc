#include "deploy/settled_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "deploy/loop_guard.h"
#include "deploy/planning.h"
#include "deploy/service_inputs.h"

namespace windlass {
namespace {

constexpr std::string_view kNoChanges = "no changes";
constexpr std::string_view kByChoice = "\nrolled back";  // behind the key of a release that did not fail

}  // namespace

SettledRuns::SettledRuns(Options options, Source& source, Driver& driver, Engines& engines, SecretResolver& secrets,
                         ReleaseStore& releases, Log log)
    : options_(std::move(options)),
      source_(source),
      driver_(driver),
      engines_(engines),
      secrets_(secrets),
      releases_(releases),
      log_(std::move(log)) {}

Result<std::optional<std::string>> SettledRuns::because(const JobRequest& request, const Digest& digest,
                                                        const Deadline& deadline) {
  auto bad = releases_.bad_key(lane_of(request), place_of(request));
  if (!bad) return tl::unexpected(bad.error());
  if (failed_before(*bad, key(request, digest), deadline))
    return std::optional<std::string>(bad->ends_with(kByChoice) ? "no changes since this release was rolled back"
                                                                : "no changes since this release failed");
  auto outcome = unchanged(request, digest, deadline, log_.with({{"artifact", request.artifact}}));
  if (!outcome) return tl::unexpected(outcome.error());
  if (!*outcome) return std::optional<std::string>();
  const bool is_left_alone =
      std::ranges::any_of((*outcome)->stacks, [](const StackResult& stack) { return stack.message != kNoChanges; });
  return std::optional(is_left_alone ? (*outcome)->message : std::string(kNoChanges));
}

Result<std::optional<Digest>> SettledRuns::to_repair(const JobRequest& request, const Deadline& deadline) {
  auto history = releases_.history(lane_of(request));
  if (!history) return tl::unexpected(history.error());
  if (!history->last) return std::optional<Digest>();
  auto is_at_it = ended_well_with(request, *history->last);
  if (!is_at_it) return tl::unexpected(is_at_it.error());
  if (!*is_at_it) return std::optional<Digest>();
  auto outcome = unchanged(request, *history->last, deadline, log_.with({{"artifact", request.artifact}}));
  if (!outcome) return tl::unexpected(outcome.error());
  return *outcome ? std::nullopt : history->last;
}

Result<bool> SettledRuns::ended_well_with(const JobRequest& request, const Digest& digest) {
  auto settled = releases_.settled(lane_of(request), place_of(request));
  if (!settled) return tl::unexpected(settled.error());
  return *settled && (*settled)->key == key(request, digest);
}

std::string SettledRuns::keyed_hash(std::string_view text) const { return InputHasher(options_.hash_key).hash(text); }

// Where the state of a lane's runs with this target and these inline deployments is kept. Of the latter only a keyed
// hash: they may hold values that must not stay (decision 5).
std::string SettledRuns::place_of(const JobRequest& request) const {
  return request.deployments.empty() ? request.target
                                     : fmt::format("{} {}", request.target, keyed_hash(request.deployments));
}

std::string SettledRuns::trust_hash(const JobRequest& request) const {
  return keyed_hash(source_.trust_stamp(request));
}

// Everything that decides what a run of this lane and place would do, besides the engine's state (deploy/N2b).
std::string SettledRuns::key(const JobRequest& request, const Digest& digest) const {
  return keyed_hash(fmt::format("4\n{}\n{}\n{}\n{}\n{}", digest.str(), request.ref, driver_.version(),
                                options_.surroundings, source_.trust_stamp(request)));
}

Result<std::optional<JobOutcome>> SettledRuns::unchanged(const JobRequest& request, const Digest& digest,
                                                         const Deadline& deadline, const Log& log) {
  auto settled = releases_.settled(lane_of(request), place_of(request));
  if (!settled) return tl::unexpected(settled.error());
  if (!*settled || (*settled)->key != key(request, digest)) return std::optional<JobOutcome>();
  JobOutcome outcome{.status = RunStatus::skipped};
  std::vector<std::string> reasons;
  std::map<std::string, Error> away;  // engines that do not say; another one may know that there is something to do
  for (const auto& stack : (*settled)->stacks) {
    auto reason = stack.skipped_because;
    if (!reason.empty() && !stack.is_looping && request.trigger != Trigger::webhook)
      return std::optional<JobOutcome>();  // webhook/F6
    if (reason.empty()) {
      if (away.contains(stack.id.context)) continue;  // it would take as long again
      const auto containers = containers_of(stack.id, deadline);
      if (!containers) {
        away[stack.id.context] = containers.error();
        continue;
      }
      if (auto wrong = mismatch(stack.services, by_service(*containers), stack.release_of, stack.keeps_orphans)) {
        log.info("stack is not as it was deployed", {{"stack", stack.id.str()}, {"reason", *wrong}});
        return std::optional<JobOutcome>();
      }
      reason = kNoChanges;
    }
    reasons.push_back(fmt::format("{}: {}", stack.id.str(), reason));
    outcome.stacks.push_back({.name = stack.id.name,
                              .context = stack.id.context,
                              .status = RunStatus::skipped,
                              .message = std::move(reason)});
  }
  if (!away.empty()) return tl::unexpected(away.begin()->second);
  if (has_changed_secret((*settled)->stacks, deadline, log)) return std::optional<JobOutcome>();
  tell_unchanged(**settled, log);
  outcome.message = join(reasons, "; ");
  return std::optional(std::move(outcome));
}

void SettledRuns::tell_unchanged(const SettledRun& run, const Log& log) {
  if (options_.loops == nullptr) return;
  for (const auto& stack : run.stacks) {
    if (!stack.skipped_because.empty()) continue;
    std::set<std::string> references;
    for (const auto& [name, secret] : stack.secrets) references.insert(secret.reference);
    if (auto told = options_.loops->found_unchanged(stack.id, references); !told)
      log.warning("end of a loop was not kept", {{"stack", stack.id.str()}, {"error", told.error().message}});
  }
}

Result<std::vector<ContainerSummary>> SettledRuns::containers_of(const StackId& stack, const Deadline& deadline) {
  auto engine = engines_.engine_of(stack.context);
  if (!engine) return tl::unexpected(engine.error());
  return (*engine)->containers({project_filter(stack.name)}, deadline);
}

Status SettledRuns::begin(const JobRequest& request) { return releases_.unsettle(lane_of(request), place_of(request)); }

Status SettledRuns::end_well(const JobRequest& request, const SettledRun& run) {
  return releases_.settle(lane_of(request), place_of(request), run);
}

Status SettledRuns::replace_containers(const JobRequest& request, const StackId& stack,
                                       const std::map<std::string, std::string>& release_of) {
  auto settled = releases_.settled(lane_of(request), place_of(request));
  if (!settled) return tl::unexpected(settled.error());
  if (!*settled) return {};
  for (auto& left : (*settled)->stacks)
    if (left.id == stack) left.release_of = release_of;
  return end_well(request, **settled);
}

// The key, and behind it what the run knew of external secrets.
Status SettledRuns::end_badly(const JobRequest& request, const std::string& key, const SettledSecrets& secrets) {
  const auto known = secrets.empty() ? std::string() : "\n" + json::serialize(to_json(secrets));
  return releases_.remember_bad(lane_of(request), place_of(request), key + known);
}

Status SettledRuns::end_by_choice(const JobRequest& request, const std::string& key) {
  return releases_.remember_bad(lane_of(request), place_of(request), key + std::string(kByChoice));
}

bool SettledRuns::failed_before(const std::string& bad_run, const std::string& key, const Deadline& deadline) {
  const auto end = std::min(bad_run.find('\n'), bad_run.size());
  if (bad_run.substr(0, end) != key) return false;
  if (bad_run.ends_with(kByChoice)) return true;
  const auto known = end == bad_run.size() ? Result<json::value>(json::object()) : parse_json(bad_run.substr(end + 1));
  if (!known) return true;
  return !has_changed_secret({{.id = {}, .secrets = settled_secrets(known->if_object())}}, deadline, log_);
}

// secrets/E5: the store is asked once in a while only, and not before everything else is found unchanged.
bool SettledRuns::has_changed_secret(const std::vector<SettledStack>& stacks, const Deadline& deadline,
                                     const Log& log) {
  std::set<std::string> references;
  for (const auto& stack : stacks)
    for (const auto& [name, secret] : stack.secrets) references.insert(secret.reference);
  if (references.empty()) return false;
  const auto answers = secrets_.recent(references, deadline);
  const auto hash = [&](const std::string& reference, const Secret& value) { return secret_hash(reference, value); };
  for (const auto& stack : stacks) {
    const auto variable = changed_secret(stack.secrets, answers, hash);
    if (variable.empty()) continue;
    log.info("external secret has another value", {{"stack", stack.id.str()}, {"variable", variable}});
    return true;
  }
  return false;
}

SettledSecrets SettledRuns::stamped(const SecretReferences& references, const StackSecrets& secrets) const {
  return settled_secrets(references, secrets, [this](const std::string& reference, const Secret& value) {
    return secret_hash(reference, value);
  });
}

std::string SettledRuns::secret_hash(const std::string& reference, const Secret& value) const {
  return keyed_hash(fmt::format("secret\n{}\n{}", reference, value.reveal()));
}

}  // namespace windlass
