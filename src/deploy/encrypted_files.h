// The files of one release that SOPS has encrypted, for one run (secrets 3).
//
// The artifact, the content store and what was unpacked stay as they are. Plain text lies in a folder of the run on
// tmpfs, gone when the run ends (secrets/B3), and, of files that containers mount, in the live directory (Q17). A file
// that no key fits fails the run when something needs it, not before: it may be meant for another machine.
//
// Not here: how a file is decrypted (sops/), and which files containers mount (deploy/mounted_files.h).
#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "config/source_path.h"
#include "deploy/service_inputs.h"
#include "oci/unpack.h"
#include "sops/decryptor.h"
#include "sys/json.h"

namespace windlass {

class EncryptedFiles {
 public:
  struct Options {
    const sops::Decryptor* decryptor = nullptr;  // null: nothing is ever decrypted
    std::filesystem::path folder;                // of this run; made when it is needed, removed in the end
    Secret hash_key;                             // of this installation
  };
  // Of all files together, in plain text: it is in memory, and once more on tmpfs.
  static constexpr std::size_t kPlainBytesMax = 64 << 20;

  EncryptedFiles(Options options, const Log& log, Deadline deadline);
  ~EncryptedFiles();
  EncryptedFiles(const EncryptedFiles&) = delete;
  EncryptedFiles& operator=(const EncryptedFiles&) = delete;

  // The release's files for those who read them here: encrypted ones in plain text.
  SourceFiles source(const UnpackedTree& tree);

  // Looks for encrypted files, once and before the rest of the below is asked.
  Status find(const UnpackedTree& tree);
  bool any() const { return !files_.empty(); }

  // The folder that compose reads: where the release was unpacked, or a view of it with plain text.
  const std::filesystem::path& folder() const { return folder_; }
  // An error of who has read that folder, with those files that could not be decrypted.
  Error explain(Error error) const;

  // What the stack's containers see as files, decrypted: the entries as they will be in the live directory.
  // Kind::denied, invalid or unavailable when one cannot be decrypted. `model`: its paths below `live_root`.
  Result<PlainEntries> mounted(const json::object& model, const std::string& live_root, const UnpackedTree& tree) const;
  // The same of files that containers of stacks may mount which this run leaves alone.
  Result<PlainEntries> mounted(const std::set<std::string>& paths, const UnpackedTree& tree) const;

  // Dockerfiles and files of secrets that a build reads lead to their plain text from now on (Q19). `model`: its paths
  // below where the release was unpacked, `root`.
  void put_build_files(json::object& model, const std::filesystem::path& root) const;

  // Values that were encrypted and must not be shown, so far.
  std::vector<Secret> values() const;

 private:
  using Decrypted = Result<std::optional<sops::Plain>>;
  std::shared_ptr<const Decrypted> decrypt(std::string_view path, std::string_view text);
  Status decrypt_candidates(const UnpackedTree& tree, const std::vector<std::string>& candidates);
  Result<TreeEntry> plain_entry(const std::string& path, const UnpackedTree& tree) const;

  const Options options_;
  const Log log_;
  const Deadline deadline_;
  std::filesystem::path folder_;
  std::map<std::string, std::shared_ptr<const Decrypted>> files_;  // by path; written by find() alone

  mutable std::mutex mutex_;                                       // guards what follows
  std::map<std::string, std::shared_ptr<const Decrypted>> cache_;  // by format and hash of the cipher text (Q16, Q36)
  std::vector<Secret> values_;
  std::size_t plain_bytes_ = 0;
};

}  // namespace windlass
