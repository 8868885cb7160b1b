// The `sops` command, for what is not read here: keys other than age's own, and files that only it understands.
#pragma once

#include <map>
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

// The file in plain text. `folder`: empty, so that no .sops.yaml is read. Errors: Kind::not_found, no such program;
// Kind::denied, no key fits; Kind::invalid, the file is damaged; Kind::unavailable, no answer in time. They never hold
// what the command has printed, which may quote values.
Result<Secret> decrypt_by_command(ProcessRunner& processes, const std::map<std::string, std::string>& environment,
                                  std::string_view text, Format format, const std::string& folder,
                                  const Deadline& deadline);

}  // namespace windlass::sops
