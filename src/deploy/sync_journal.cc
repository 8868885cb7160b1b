#include "deploy/sync_journal.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "sys/crypto.h"
#include "sys/files.h"
#include "sys/json.h"

namespace windlass {
namespace {

constexpr std::uint64_t kJournalBytesMax = 256ull << 20;  // what UnpackLimits allow takes less than half of it
constexpr std::size_t kPieceBytes = 64 << 10;

std::int64_t number_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

// Names of entries and targets of links are any bytes; JSON holds UTF-8 only.
Result<std::string> bytes_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  auto bytes = value != nullptr && value->is_string() ? from_hex(value->get_string()) : std::nullopt;
  if (!bytes) return fail(Kind::internal, fmt::format("'{}' of an entry is not hexadecimal", key));
  return *std::move(bytes);
}

// The text of a journal, piece by piece: whole, it would take more memory than the tree that it tells of.
class JournalText {
 public:
  JournalText(const std::string& live_path, const Digest& digest, const SyncOptions& options, const UnpackedTree& tree)
      : entries_(tree.entries) {
    json::array in_place;
    for (const auto& path : options.in_place) in_place.push_back(json::string(to_hex(path)));
    const json::object head{{"live_path", live_path},        {"digest", digest.str()},
                            {"force", options.force},        {"in_place_hex", std::move(in_place)},
                            {"staging", tree.root.string()}, {"plain", tree.plain_root.string()}};
    head_ = json::serialize(head);
    head_.pop_back();  // the brace: the entries are its last member
    head_ += R"(,"entries":[)";
  }

  // Empty after the last one.
  std::string_view next() {
    piece_ = std::exchange(head_, std::string());
    while (piece_.size() < kPieceBytes && added_ < entries_.size()) add(entries_[added_++]);
    if (added_ == entries_.size()) piece_ += std::exchange(tail_, std::string());
    return piece_;
  }

 private:
  void add(const TreeEntry& entry) {
    if (&entry != &entries_.front()) piece_ += ',';
    fmt::format_to(std::back_inserter(piece_),
                   R"({{"path_hex":"{}","type":{},"mode":{},"size_bytes":{},"content_hex":"{}"}})", to_hex(entry.path),
                   static_cast<int>(entry.type), entry.mode, static_cast<std::int64_t>(entry.size_bytes),
                   to_hex(entry.content));
  }

  const std::vector<TreeEntry>& entries_;
  std::string head_, piece_, tail_ = "]}";
  std::size_t added_ = 0;
};

Result<PendingSync> parse(const std::string& text) {
  auto value = parse_json(text);
  if (!value) return tl::unexpected(value.error());
  const auto* object = value->if_object();
  const auto* entries = object != nullptr ? array_of(*object, "entries") : nullptr;
  if (entries == nullptr) return fail(Kind::internal, "not a journal");
  auto digest = Digest::parse(text_of(*object, "digest"));
  if (!digest) return tl::unexpected(digest.error());
  const auto* force = object->if_contains("force");
  PendingSync sync{
      .live_path = std::string(text_of(*object, "live_path")),
      .digest = *digest,
      .options = {.force = force != nullptr && force->is_bool() && force->get_bool()},
      .tree = {.root = std::string(text_of(*object, "staging")), .plain_root = std::string(text_of(*object, "plain"))}};
  if (const auto* in_place = array_of(*object, "in_place_hex"))
    for (const auto& item : *in_place)
      if (auto path = item.is_string() ? from_hex(item.get_string()) : std::nullopt)
        sync.options.in_place.insert(*std::move(path));
  for (const auto& item : *entries) {
    const auto* entry = item.if_object();
    if (entry == nullptr) return fail(Kind::internal, "not a journal");
    auto path = bytes_of(*entry, "path_hex");
    auto content = bytes_of(*entry, "content_hex");
    if (!path || !content) return tl::unexpected(path ? content.error() : path.error());
    sync.tree.entries.push_back({.path = *std::move(path),
                                 .type = static_cast<EntryType>(number_of(*entry, "type")),
                                 .mode = static_cast<unsigned>(number_of(*entry, "mode")),
                                 .size_bytes = static_cast<std::uint64_t>(number_of(*entry, "size_bytes")),
                                 .content = *std::move(content)});
  }
  if (!std::ranges::is_sorted(sync.tree.entries, {}, &TreeEntry::path))
    return fail(Kind::internal, "its entries are not sorted");
  return sync;
}

}  // namespace

std::filesystem::path SyncJournal::file_of(const std::string& live_path) const {
  return folder_ / (sha256_hex(live_path).substr(0, 32) + ".json");
}

Status SyncJournal::write(const std::string& live_path, const Digest& digest, const SyncOptions& options,
                          const UnpackedTree& tree) const {
  JournalText text(live_path, digest, options, tree);
  std::uint64_t bytes = 0;
  const auto next = [&]() -> Result<std::string_view> {
    const auto piece = text.next();
    bytes += piece.size();
    if (bytes <= kJournalBytesMax) return piece;
    for (auto rest = text.next(); !rest.empty(); rest = text.next()) bytes += rest.size();
    return fail(Kind::invalid, fmt::format("sync journal of {} bytes, limit {}", bytes, kJournalBytesMax));
  };
  return write_pieces(file_of(live_path), next, 0600);
}

Status SyncJournal::remove(const std::string& live_path) const {
  std::error_code error;
  std::filesystem::remove(file_of(live_path), error);
  if (error) return fail(Kind::internal, "removing the sync journal: " + error.message());
  return sync_folder(folder_);
}

Result<std::optional<PendingSync>> SyncJournal::find(const std::string& live_path) const {
  return read(file_of(live_path));
}

Result<std::optional<PendingSync>> SyncJournal::read(const std::filesystem::path& file) const {
  auto text = read_file(file, kJournalBytesMax);
  if (!text && text.error().kind == Kind::not_found) return std::optional<PendingSync>();
  if (!text && text.error().kind != Kind::invalid) return tl::unexpected(text.error());
  auto sync = text ? parse(*text) : tl::unexpected(text.error());
  if (sync) return std::optional(std::move(*sync));
  set_aside(file, sync.error());
  return std::optional<PendingSync>();
}

// It would be in the way for ever; without it the next run takes what is there for somebody's edits, and says so.
void SyncJournal::set_aside(const std::filesystem::path& file, const Error& why) const {
  const auto log = log_.with({{"file", file.string()}, {"error", why.message}});
  log.error("sync journal cannot be read and is set aside");
  std::error_code error;
  std::filesystem::rename(file, file.string() + ".unreadable", error);
  if (error) log.error("sync journal was not set aside", {{"reason", error.message()}});
}

// A journal that cannot be read keeps nobody else's sync from its end, nor the service from its start.
Result<std::vector<PendingSync>> SyncJournal::pending() const {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(folder_, error))
    if (file.path().extension() == ".json") files.push_back(file.path());  // others are half written, or set aside
  if (error) return fail(Kind::internal, "reading the sync journals: " + error.message());
  std::vector<PendingSync> found;
  for (const auto& file : files) {
    auto sync = read(file);
    if (!sync)
      log_.error("sync journal cannot be read", {{"file", file.string()}, {"error", sync.error().message}});
    else if (*sync)
      found.push_back(std::move(**sync));
  }
  return found;
}

}  // namespace windlass
