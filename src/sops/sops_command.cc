#include "sops/sops_command.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace windlass::sops {
namespace {

constexpr auto kTimeout = std::chrono::seconds(30);
constexpr std::size_t kOutputBytesMax = 16 << 20;
constexpr std::string_view kAllowList = "SOPS_HC_VAULT_ALLOWLIST";

// Exit codes of sops (cmd/sops/codes): those that say something to whoever wrote the file.
constexpr int kMacMismatch = 51, kMacNotFound = 52, kNoKey = 128;

bool is_passed(std::string_view name) {
  constexpr std::string_view kNames[] = {
      "PATH",          "HOME",         "USER",         "GNUPGHOME", "XDG_CONFIG_HOME",
      "SSL_CERT_FILE", "SSL_CERT_DIR", "MSI_ENDPOINT", "MSI_SECRET"};
  constexpr std::string_view kPrefixes[] = {"SOPS_",  "AWS_",      "GOOGLE_", "CLOUDSDK_",   "GCLOUD_",
                                            "AZURE_", "IDENTITY_", "VAULT_",  "HUAWEICLOUD_"};
  constexpr std::string_view kProxies[] = {"http_proxy", "https_proxy", "all_proxy", "no_proxy"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames) ||
         std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                     [&](auto prefix) { return name.starts_with(prefix); }) ||
         std::find(std::begin(kProxies), std::end(kProxies), lower(name)) != std::end(kProxies);
}

}  // namespace

std::map<std::string, std::string> command_environment(const std::map<std::string, std::string>& own) {
  std::map<std::string, std::string> passed;
  for (const auto& [name, value] : own)
    if (!value.empty() && is_passed(name)) passed.emplace(name, value);
  const auto vault = passed.find("VAULT_ADDR");
  passed.emplace(kAllowList, vault == passed.end() ? "none" : vault->second);
  passed.emplace("SOPS_DISABLE_VERSION_CHECK", "1");
  return passed;
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
