// The `sops` command, for what is not read here: keys other than age's own, and files that only it understands.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/deadline.h"
#include "base/result.h"
#include "base/secret.h"
#include "sops/document.h"
#include "sys/process.h"

namespace windlass::sops {

// What the command gets to see of our own environment (Q37): where it finds itself and its keys, and the credentials of
// key services; nothing that belongs to us. Vault's transit engine is asked at VAULT_ADDR and nowhere else, unless
// SOPS_HC_VAULT_ALLOWLIST says so: the address comes from the file (Q34).
std::map<std::string, std::string> command_environment(const std::map<std::string, std::string>& own);

// Keeps Vault's token from a `sops` before 3.13: that one does not know the list, and would send the token to whatever
// address an artifact's file names (Q34).
class VaultTokenGuard {
 public:
  // `warn` is called once, when a token is kept back.
  explicit VaultTokenGuard(std::function<void(const std::string&)> warn) : warn_(std::move(warn)) {}

  // `environment`, made by command_environment(), as the `sops` of this machine may have it. Where there is a token the
  // program is asked for its version, until it has answered. From any thread.
  std::map<std::string, std::string> environment_for_sops(ProcessRunner& processes,
                                                          const std::map<std::string, std::string>& environment,
                                                          const Deadline& deadline);

 private:
  bool heeds_allow_list(ProcessRunner& processes, const std::map<std::string, std::string>& without_token,
                        const Deadline& deadline);

  const std::function<void(const std::string&)> warn_;
  std::mutex mutex_;
  std::optional<bool> heeds_allow_list_;
  bool has_warned_ = false;
};

// The file in plain text. `folder`: empty, so that no .sops.yaml is read. Errors: Kind::not_found, no such program;
// Kind::denied, no key fits; Kind::invalid, the file is damaged; Kind::unavailable, no answer in time. They never hold
// what the command has printed, which may quote values.
Result<Secret> decrypt_by_command(ProcessRunner& processes, const std::map<std::string, std::string>& environment,
                                  std::string_view text, Format format, const std::string& folder,
                                  const Deadline& deadline);

}  // namespace windlass::sops
