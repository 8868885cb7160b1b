#include "sops/sops_command.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <charconv>
#include <utility>

#include "base/text.h"
#include "sys/helper_environment.h"

namespace windlass::sops {
namespace {

constexpr auto kTimeout = std::chrono::seconds(30);
constexpr std::size_t kOutputBytesMax = 16 << 20;
constexpr std::string_view kAllowList = "SOPS_HC_VAULT_ALLOWLIST";

// Exit codes of sops (cmd/sops/codes): those that say something to whoever wrote the file.
constexpr int kMacMismatch = 51, kMacNotFound = 52, kNoKey = 128;

using Environment = std::map<std::string, std::string>;

// The first that heeds kAllowList.
constexpr std::pair<int, int> kAllowListSince = {3, 13};
constexpr auto kVersionTimeout = std::chrono::seconds(10);
constexpr std::string_view kNoHome = "/nonexistent";

// Where sops looks for the token: without HOME, it asks the system.
std::string home_in(const Environment& environment) {
  if (const auto home = environment.find("HOME"); home != environment.end()) return home->second;
  char buffer[4096];
  passwd entry{}, *found = nullptr;
  const bool is_known = ::getpwuid_r(::geteuid(), &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr;
  return is_known ? entry.pw_dir : "";
}

// Nothing of Vault's. Without HOME sops would find it all the same; what else lies there keeps its place.
Environment without_vault_token(Environment environment, const std::string& home) {
  std::erase_if(environment, [](const auto& variable) { return variable.first.starts_with("VAULT_"); });
  constexpr std::pair<const char*, const char*> kBelowHome[] = {{"GNUPGHOME", "/.gnupg"},
                                                                {"XDG_CONFIG_HOME", "/.config"},
                                                                {"AWS_CONFIG_FILE", "/.aws/config"},
                                                                {"AWS_SHARED_CREDENTIALS_FILE", "/.aws/credentials"}};
  if (!home.empty())
    for (const auto& [name, place] : kBelowHome) environment.emplace(name, home + place);
  environment["HOME"] = kNoHome;
  return environment;
}

// "sops 3.9.0 (latest)": 3 and 9.
std::optional<std::pair<int, int>> version_in(std::string_view text) {
  constexpr std::string_view kName = "sops ";
  if (!text.starts_with(kName)) return std::nullopt;
  const auto* const end = text.data() + text.size();
  std::pair<int, int> version;
  const auto first = std::from_chars(text.data() + kName.size(), end, version.first);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '.') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, version.second);
  if (second.ec != std::errc()) return std::nullopt;
  return version;
}

}  // namespace

Environment command_environment(const Environment& own) {
  auto passed = helper_environment(own, {.names = {}, .prefixes = {"SOPS_", "GCLOUD_", "VAULT_", "HUAWEICLOUD_"}});
  const auto vault = passed.find("VAULT_ADDR");
  passed.emplace(kAllowList, vault == passed.end() ? "none" : vault->second);
  passed.emplace("SOPS_DISABLE_VERSION_CHECK", "1");
  return passed;
}

Environment VaultTokenGuard::environment_for_sops(ProcessRunner& processes, const Environment& environment,
                                                  const Deadline& deadline) {
  const auto home = home_in(environment);
  const bool has_token =
      environment.contains("VAULT_TOKEN") || (!home.empty() && ::access((home + "/.vault-token").c_str(), F_OK) == 0);
  if (!has_token) return environment;
  auto without_token = without_vault_token(environment, home);
  const std::lock_guard lock(mutex_);
  return heeds_allow_list(processes, without_token, deadline) ? environment : without_token;
}

bool VaultTokenGuard::heeds_allow_list(ProcessRunner& processes, const Environment& without_token,
                                       const Deadline& deadline) {
  if (heeds_allow_list_) return *heeds_allow_list_;
  const Command command{
      .program = "sops", .arguments = {"--version", "--disable-version-check"}, .environment = without_token};
  const auto exit = processes.run(command, deadline.within(kVersionTimeout));
  if (!exit && exit.error().kind == Kind::not_found) return false;  // nobody to keep it from
  const auto version = exit && exit->code == 0 && !exit->timed_out ? version_in(exit->out) : std::nullopt;
  if (exit && !exit->timed_out) heeds_allow_list_ = version && *version >= kAllowListSince;
  if (heeds_allow_list_.value_or(false)) return true;
  if (!std::exchange(has_warned_, true) && warn_)
    warn_(fmt::format(
        "sops gets no token of Vault: it must be {}.{} or newer, or it would send the token wherever a file "
        "says, and {}",
        kAllowListSince.first, kAllowListSince.second,
        version ? fmt::format("is {}.{}", version->first, version->second) : std::string("does not tell its version")));
  return false;
}

Result<Secret> decrypt_by_command(ProcessRunner& processes, const std::map<std::string, std::string>& environment,
                                  std::string_view text, Format format, const std::string& folder,
                                  const Deadline& deadline) {
  const std::string type(to_string(format));
  const Command command{
      .program = "sops",
      .arguments = {"decrypt", "--input-type", type, "--output-type", type, "--decryption-order", "age,pgp"},
      .environment = environment,
      .working_dir = folder,
      .input = std::string(text),
      .output_bytes_max = kOutputBytesMax};
  auto exit = processes.run(command, deadline.within(kTimeout));
  if (!exit) return tl::unexpected(exit.error());
  if (exit->timed_out) return fail(Kind::unavailable, fmt::format("sops did not end within {}s", kTimeout.count()));
  if (exit->code == kNoKey) return fail(Kind::denied, "sops has no key that fits");
  if (exit->code == kMacMismatch || exit->code == kMacNotFound)
    return fail(Kind::invalid, "its MAC does not fit: it was changed after it was encrypted");
  if (exit->code != 0) return fail(Kind::invalid, fmt::format("sops ended with exit code {}", exit->code));
  if (exit->out_cut)
    return fail(Kind::invalid, fmt::format("it has more than {} bytes in plain text", kOutputBytesMax));
  return Secret(std::move(exit->out));
}

}  // namespace windlass::sops
