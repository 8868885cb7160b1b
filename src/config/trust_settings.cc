#include "config/trust_settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "config/inline_deployments.h"
#include "config/trust_policy.h"
#include "sigstore/trusted_root.h"
#include "sys/files.h"

namespace windlass {
namespace {

constexpr unsigned kWorkersMax = 10;
constexpr std::string_view kWaysToARoot =
    "set OCI_TRUSTED_ROOT_FILE to a trusted_root.json (`cosign initialize` leaves Sigstore's own in "
    "~/.sigstore/root/tuf-repo-cdn.sigstore.dev/targets/), or trust public_keys alone with ignore_tlog: true";

void check_root_file(SettingReader& read, const std::string& path) {
  const auto text = read_file(path, TrustedRoot::kBytesMax);
  if (!text) return read.fault(fmt::format("OCI_TRUSTED_ROOT_FILE: {}", text.error().message));
  read.note_file("OCI_TRUSTED_ROOT_FILE", *text);
  if (const auto root = TrustedRoot::parse(*text); !root)
    read.fault(fmt::format("OCI_TRUSTED_ROOT_FILE: {}: {}", shown(path), root.error().message));
}

// What each inline deployment of the polls demands, if anything (oci 11.1).
std::vector<TrustOverride> demands_of(const std::vector<PollConfig>& polls) {
  std::vector<TrustOverride> demands;
  for (const auto& poll : polls) {
    if (poll.deployments.empty()) continue;
    const auto configs = read_inline_deployments(poll.deployments);
    if (!configs) continue;  // its faults were told where it was read
    for (const auto& stack : configs->stacks) demands.push_back(stack.trust);
  }
  return demands;
}

void check_policy(SettingReader& read, std::string_view where, const TrustPolicy& policy, bool has_root) {
  if (!policy.enabled) return;
  if (!has_rules(policy))
    read.fault(
        fmt::format("{}: enabled without any rule, nothing could ever be deployed: give public_keys or "
                    "keyless_identities",
                    where));
  else if (!has_root && needs_trusted_root(policy))
    read.fault(fmt::format("{}: {} but there is no trusted root: {}", where,
                           policy.keyless_identities.empty() ? "the transparency log is to be checked"
                                                             : "keyless_identities are to be checked",
                           kWaysToARoot));
}

// oci 11.2: what is demanded here does not count, and whoever wrote it should know.
void warn_of_ignored_log_rules(SettingReader& read, const TrustPolicy& global,
                               const std::vector<TrustOverride>& demands) {
  const auto loosens = [&](const TrustOverride& demand) {
    return demand.ignore_tlog.value_or(false) && !effective_policy(global, demand).ignore_tlog;
  };
  if (std::any_of(demands.begin(), demands.end(), loosens))
    read.warnings().push_back(
        "POLL_CONFIG: oci of an inline deployment: ignore_tlog: true has no effect, OCI_TRUST_POLICY is enabled and "
        "asks for the log");
}

}  // namespace

void read_trust_settings(SettingReader& read, Settings& settings) {
  read.number("OCI_VERIFY_MAX_WORKERS", {1, kWorkersMax}, settings.oci_verify_max_workers);
  const auto faults_before = read.faults().size();
  auto trust =
      parse_trust_policy(read.text_or_file("OCI_TRUST_POLICY"), "OCI_TRUST_POLICY", {read.faults(), read.warnings()});
  const bool is_sound = read.faults().size() == faults_before;
  const auto& policy = settings.oci_trust_policy = std::move(trust.policy);
  settings.oci_verify_includes = trust.verify_includes;
  settings.oci_trusted_root_file = trim(read.text("OCI_TRUSTED_ROOT_FILE"));
  const bool has_root = !settings.oci_trusted_root_file.empty();
  if (has_root) check_root_file(read, settings.oci_trusted_root_file);
  if (!is_sound) return;
  const auto demands = demands_of(settings.polls);
  const bool rules_come_later =
      !has_rules(policy) && std::any_of(demands.begin(), demands.end(), [](const auto& demand) {
        return !demand.public_keys.empty() || !demand.keyless_identities.empty();
      });
  if (!rules_come_later) check_policy(read, "OCI_TRUST_POLICY", policy, has_root);
  warn_of_ignored_log_rules(read, policy, demands);
  for (const auto& demand : demands)
    if (rules_come_later || !demand.empty())
      check_policy(read, "POLL_CONFIG: oci of an inline deployment", effective_policy(policy, demand), has_root);
}

}  // namespace windlass
