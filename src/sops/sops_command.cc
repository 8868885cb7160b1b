#include "sops/sops_command.h"

#include <fmt/format.h>

#include "sys/helper_environment.h"

namespace windlass::sops {
namespace {

constexpr auto kTimeout = std::chrono::seconds(30);
constexpr std::size_t kOutputBytesMax = 16 << 20;
constexpr std::string_view kAllowList = "SOPS_HC_VAULT_ALLOWLIST";

// Exit codes of sops (cmd/sops/codes): those that say something to whoever wrote the file.
constexpr int kMacMismatch = 51, kMacNotFound = 52, kNoKey = 128;

}  // namespace

std::map<std::string, std::string> command_environment(const std::map<std::string, std::string>& own) {
  auto passed = helper_environment(own, {.names = {}, .prefixes = {"SOPS_", "GCLOUD_", "VAULT_", "HUAWEICLOUD_"}});
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
