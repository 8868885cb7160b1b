#include "deploy/encrypted_files.h"

#include <fmt/format.h>

#include "base/mask_forms.h"
#include "base/parallel.h"
#include "base/text.h"
#include "deploy/model_paths.h"
#include "deploy/mounted_files.h"
#include "deploy/plain_content.h"
#include "deploy/source_view.h"
#include "oci/entry_name.h"
#include "sys/content_hash.h"
#include "sys/crypto.h"
#include "sys/files.h"

namespace windlass {
namespace {

constexpr std::size_t kWorkers = 4;        // each may be a process that asks a key service
constexpr std::size_t kFailuresShown = 3;  // of files that could not be decrypted
// In place of what could not be decrypted: no YAML and no env file, so that nobody takes the cipher text for values.
constexpr std::string_view kUnreadable = "\"";

Error file_error(std::string_view path, const Error& cause) {
  return {cause.kind, fmt::format("failed to decrypt file {}: {}", printable(path, 200), cause.message)};
}

}  // namespace

EncryptedFiles::EncryptedFiles(Options options, const Log& log, Deadline deadline)
    : options_(std::move(options)), log_(log), deadline_(std::move(deadline)) {}

EncryptedFiles::~EncryptedFiles() {
  if (!options_.folder.empty()) (void)remove_tree(options_.folder);
}

std::shared_ptr<const EncryptedFiles::Decrypted> EncryptedFiles::decrypt(std::string_view path, std::string_view text) {
  const auto key = fmt::format("{} {}", sops::to_string(sops::format_of(path)), sha256_hex(text));
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = cache_.find(key); known != cache_.end()) return known->second;
  }
  auto done = std::make_shared<const Decrypted>(options_.decryptor->decrypt_if_encrypted(path, text, deadline_));
  const std::lock_guard lock(mutex_);
  const bool is_plain = *done && **done;
  if (!cache_.contains(key) && is_plain && (plain_bytes_ += (**done)->text.reveal().size()) > kPlainBytesMax)
    done = std::make_shared<const Decrypted>(
        fail(Kind::invalid, fmt::format("all decrypted files together are over {} bytes", kPlainBytesMax)));
  const auto [kept, is_new] = cache_.emplace(key, done);
  if (is_new && *done && **done)
    for (const auto& value : (**done)->values) {
      if (value.reveal().size() < kMaskBytesMin || values_.size() >= Log::kLatelyMaskedMax) continue;  // secrets/B1
      values_.push_back(value);
      log_.mask_lately(value);
    }
  return kept->second;
}

SourceFiles EncryptedFiles::source(const UnpackedTree& tree) {
  SourceFiles files(tree.root);
  if (options_.decryptor == nullptr) return files;
  files.decrypt = [this](const std::string& path, const std::string& text) -> Result<std::optional<std::string>> {
    const auto done = decrypt(path, text);
    if (!*done) return tl::unexpected(file_error(path, done->error()));
    return **done ? std::optional((**done)->text.reveal()) : std::nullopt;
  };
  return files;
}

Status EncryptedFiles::find(const UnpackedTree& tree) {
  folder_ = tree.root;
  if (options_.decryptor == nullptr) return {};
  std::vector<std::string> candidates;
  for (const auto& entry : tree.entries)
    if (entry.has_cipher_text && entry.size_bytes <= sops::kEncryptedBytesMax) candidates.push_back(entry.path);
  if (candidates.empty()) return {};
  if (auto done = decrypt_candidates(tree, candidates); !done) return done;
  if (files_.empty()) return {};
  std::map<std::string, Secret> plain;
  for (const auto& [path, done] : files_) plain[path] = *done ? (**done)->text : Secret(std::string(kUnreadable));
  folder_ = options_.folder / "tree";
  if (auto made = make_source_view(tree, plain, folder_); !made) return while_doing("decrypting files", made.error());
  return {};
}

Status EncryptedFiles::decrypt_candidates(const UnpackedTree& tree, const std::vector<std::string>& candidates) {
  std::vector<std::shared_ptr<const Decrypted>> results(candidates.size());
  const auto done = for_each_index(candidates.size(), kWorkers, [&](std::size_t index) -> Status {
    if (deadline_.passed()) return fail(Kind::unavailable, "deadline passed while files were decrypted");
    const auto& path = candidates[index];
    const auto text = read_file_beneath(tree.root, path, sops::kEncryptedBytesMax);
    if (!text) return while_doing(path, text.error());
    results[index] = decrypt(path, *text);
    return {};
  });
  for (std::size_t index = 0; index < candidates.size(); ++index) {
    if (!done[index]) return done[index];
    const auto& result = *results[index];
    if (result && !*result)
      log_.debug("file mentions SOPS and is a plain one", {{"path", candidates[index]}});
    else
      files_[candidates[index]] = results[index];
    if (!result)
      log_.debug("file cannot be decrypted", {{"path", candidates[index]}, {"error", result.error().message}});
  }
  return {};
}

Error EncryptedFiles::explain(Error error) const {
  std::vector<std::string> named, all;
  std::optional<Kind> kind;
  for (const auto& [path, done] : files_) {
    if (*done) continue;
    auto text = file_error(path, done->error()).message;
    if (error.message.find(base_of(path)) != error.message.npos) {  // paths are seen from the stack's own folder
      kind = done->error().kind;
      named.push_back(text);
    }
    all.push_back(std::move(text));
  }
  if (all.empty()) return error;
  if (!named.empty()) return {*kind, join(named, "; ")};
  if (all.size() > kFailuresShown) all.resize(kFailuresShown);
  return {error.kind,
          fmt::format("{}; if a file that was not decrypted is to blame: {}", error.message, join(all, "; "))};
}

Result<TreeEntry> EncryptedFiles::plain_entry(const std::string& path, const UnpackedTree& tree) const {
  const auto& done = *files_.at(path);
  if (!done)
    return fail(done.error().kind,
                fmt::format("failed to decrypt project file '{}': {}", printable(path, 200), done.error().message));
  const auto& text = (*done)->text.reveal();
  const auto* entry = tree.find(path);
  return TreeEntry{.path = path,
                   .mode = entry == nullptr ? 0600 : entry->mode,
                   .size_bytes = text.size(),
                   .content = mark_plain_content(content_hash_hex(options_.hash_key, text))};
}

Result<PlainEntries> EncryptedFiles::mounted(const std::set<std::string>& paths, const UnpackedTree& tree) const {
  PlainEntries entries;
  for (const auto& path : paths) {
    if (!files_.contains(path)) continue;
    auto entry = plain_entry(path, tree);
    if (!entry) return tl::unexpected(entry.error());
    entries[path] = *std::move(entry);
  }
  return entries;
}

Result<PlainEntries> EncryptedFiles::mounted(const json::object& model, const std::string& live_root,
                                             const UnpackedTree& tree) const {
  if (files_.empty()) return PlainEntries();
  return mounted(mounted_files(model, live_root, tree, [&](const auto& path) { return files_.contains(path); }), tree);
}

void EncryptedFiles::put_build_files(json::object& model, const std::filesystem::path& root) const {
  if (files_.empty()) return;
  const auto plain_of = [&](const std::filesystem::path& path) -> std::optional<std::string> {
    const auto below = path_below(root.string(), path.lexically_normal().string());
    if (!below || !files_.contains(*below)) return std::nullopt;
    return (folder_ / *below).string();
  };
  const auto for_each = [&](const char* section, const auto& change) {
    auto* members = model.contains(section) ? model[section].if_object() : nullptr;
    if (members == nullptr) return;
    for (auto& member : *members)
      if (auto* inner = member.value().if_object()) change(*inner);
  };
  for_each("secrets", [&](json::object& secret) {
    if (const auto plain = plain_of(std::string(text_of(secret, "file")))) secret["file"] = *plain;
  });
  for_each("services", [&](json::object& service) {
    auto* build = service.contains("build") ? service["build"].if_object() : nullptr;
    if (build == nullptr) return;
    const std::filesystem::path context(std::string(text_of(*build, "context")));
    const std::string dockerfile(text_of(*build, "dockerfile"));
    if (const auto plain = plain_of(context / (dockerfile.empty() ? "Dockerfile" : dockerfile)))
      (*build)["dockerfile"] = *plain;
  });
}

std::vector<Secret> EncryptedFiles::values() const {
  const std::lock_guard lock(mutex_);
  return values_;
}

}  // namespace windlass
