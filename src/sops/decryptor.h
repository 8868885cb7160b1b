// Decrypts what SOPS has encrypted (secrets 3, 4).
//
// Files for age keys are read here; for every other kind of key, and where a file is written in a way that only sops
// understands, the `sops` command is asked if the machine has it (docs/decisions.md 96).
//
// Not here: which files count, and where plain text may lie (deploy/encrypted_files.h).
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "sops/key_sources.h"
#include "sops/metadata.h"
#include "sops/open_document.h"
#include "sops/sops_command.h"
#include "sys/process.h"

namespace windlass::sops {

class Decryptor {
 public:
  // `environment`: of this process; it is asked for keys, and a part of it goes to `sops`. `warn`: from any thread.
  Decryptor(std::map<std::string, std::string> environment, ProcessRunner& processes,
            std::function<void(const std::string&)> warn = nullptr);
  Decryptor(const Decryptor&) = delete;
  Decryptor& operator=(const Decryptor&) = delete;

  // From any thread. `path` is for messages. Errors begin with "cannot decrypt <path>: " and never quote a value:
  // Kind::denied when no key fits ("needs one of <recipients>; configured: <sources>", Q1), Kind::invalid when the file
  // is damaged or was changed, Kind::unavailable when a key service does not answer.
  Result<Plain> decrypt(std::string_view path, const EncryptedFile& file, std::string_view text,
                        const Deadline& deadline) const;

  // The same of a text that may be plain: nothing then.
  Result<std::optional<Plain>> decrypt_if_encrypted(std::string_view path, std::string_view text,
                                                    const Deadline& deadline) const;

  // The same without the values.
  Result<std::optional<std::string>> text_if_encrypted(std::string_view path, std::string_view text,
                                                       const Deadline& deadline) const;

  // Key sources that are named and cannot be used, for the log at start.
  std::vector<std::string> warnings() const { return keys_.warnings(); }

 private:
  Result<Plain> decrypt_here(const EncryptedFile& file, std::vector<std::string>& faults) const;
  Result<Plain> ask_command(const EncryptedFile& file, std::string_view text, const Deadline& deadline) const;

  const std::map<std::string, std::string> environment_, command_environment_;
  const KeySources keys_;
  ProcessRunner& processes_;
  mutable VaultTokenGuard vault_token_;
};

}  // namespace windlass::sops
