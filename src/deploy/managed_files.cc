#include "deploy/managed_files.h"

#include <algorithm>
#include <iterator>

namespace windlass {
namespace {

constexpr std::string_view kSchema = R"(
CREATE TABLE IF NOT EXISTS live_directories (
  path TEXT PRIMARY KEY,
  source_id TEXT NOT NULL,
  ref TEXT NOT NULL,
  digest TEXT NOT NULL DEFAULT '',
  UNIQUE (source_id, ref)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS managed_files (
  directory TEXT NOT NULL,
  path TEXT NOT NULL,
  type INTEGER NOT NULL,
  mode INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  content TEXT NOT NULL,
  disk_size_bytes INTEGER NOT NULL,
  disk_mtime_ns INTEGER NOT NULL,
  PRIMARY KEY (directory, path)
) WITHOUT ROWID;
)";

// Once a source had one path for all engines. It is that engine's whose name is in it, where other engines' containers
// may have come to live as well: they get a path of their own with their next change.
constexpr std::string_view kAddContexts = R"(
UPDATE OR IGNORE live_directories
SET ref = ref || substr(path, instr(path, '@@context-'),
                        9 + instr(substr(path, instr(path, '@@context-') + 10) || '@', '@'))
WHERE instr(path, '@@context-') > 0 AND instr(ref, '@@context-') = 0;
)";

std::string_view path_of(const ManagedFile& file) { return file.entry.path; }

}  // namespace

std::vector<ManagedFile>::const_iterator ManagedFiles::first_from(std::string_view path) const {
  return std::ranges::lower_bound(files_, path, {}, path_of);
}

const ManagedFile* ManagedFiles::find(std::string_view path) const {
  const auto found = first_from(path);
  return found != files_.end() && found->entry.path == path ? &*found : nullptr;
}

std::span<const ManagedFile> ManagedFiles::below(const std::string& folder) const {
  return {first_from(folder + "/"), first_from(folder + "0")};  // '0' is the character after '/'
}

void ManagedFiles::put(std::vector<ManagedFile> files) {
  std::vector<ManagedFile> all;
  all.reserve(files.size() + files_.size());
  // of two with one path it takes the first
  std::set_union(std::move_iterator(files.begin()), std::move_iterator(files.end()), std::move_iterator(files_.begin()),
                 std::move_iterator(files_.end()), std::back_inserter(all),
                 [](const ManagedFile& a, const ManagedFile& b) { return path_of(a) < path_of(b); });
  files_ = std::move(all);
}

void ManagedFiles::forget(const std::string& path) {
  if (const auto first = first_from(path); first != files_.end() && first->entry.path == path) files_.erase(first);
  files_.erase(first_from(path + "/"), first_from(path + "0"));
}

Result<std::unique_ptr<ManagedFileStore>> ManagedFileStore::open(std::unique_ptr<Db> db) {
  for (const auto statements : {kSchema, kAddContexts})
    if (auto made = db->execute(statements); !made)
      return while_doing("opening the list of managed files", made.error());
  return std::unique_ptr<ManagedFileStore>(new ManagedFileStore(std::move(db)));
}

Result<std::optional<std::string>> ManagedFileStore::path_of(const std::string& source_id, const std::string& ref) {
  const std::lock_guard lock(mutex_);
  auto query = db_->query("SELECT path FROM live_directories WHERE source_id = ? AND ref = ?");
  query.bind(source_id).bind(ref);
  return query.first_text();
}

Result<std::optional<std::string>> ManagedFileStore::owner_of(const std::string& path) {
  const std::lock_guard lock(mutex_);
  auto query = db_->query("SELECT source_id FROM live_directories WHERE path = ?");
  query.bind(path);
  return query.first_text();
}

Status ManagedFileStore::give(const std::string& path, const std::string& source_id, const std::string& ref) {
  const std::lock_guard lock(mutex_);
  return db_->query("INSERT INTO live_directories (path, source_id, ref) VALUES (?, ?, ?)")
      .bind(path)
      .bind(source_id)
      .bind(ref)
      .run();
}

Status ManagedFileStore::give_back(const std::string& path) {
  const std::lock_guard lock(mutex_);
  auto transaction = Transaction::begin(*db_);
  if (!transaction) return tl::unexpected(transaction.error());
  for (const auto* statement :
       {"DELETE FROM managed_files WHERE directory = ?", "DELETE FROM live_directories WHERE path = ?"})
    if (auto done = db_->query(statement).bind(path).run(); !done) return done;
  return transaction->commit();
}

Result<std::optional<std::string>> ManagedFileStore::holder_of(const std::string& path) {
  const std::lock_guard lock(mutex_);
  for (auto slash = path.find('/'); slash != path.npos; slash = path.find('/', slash + 1)) {
    const auto folder = path.substr(0, slash), inside = path.substr(slash + 1);
    // '0' is the character after '/'
    auto query = db_->query(
        "SELECT directory FROM managed_files WHERE directory = ?1 AND (path = ?2 OR (path > ?2 || '/' AND path < ?2 || "
        "'0')) LIMIT 1");
    auto holder = query.bind(folder).bind(inside).first_text();
    if (!holder || *holder) return holder;
  }
  return std::optional<std::string>();
}

Result<std::vector<std::string>> ManagedFileStore::paths() {
  const std::lock_guard lock(mutex_);
  return db_->query("SELECT path FROM live_directories ORDER BY path").all_texts();
}

Result<std::vector<std::string>> ManagedFileStore::nested_in(const std::string& path) {
  const std::lock_guard lock(mutex_);
  // '0' is the character after '/': the range holds exactly what begins with "path/"
  auto query = db_->query("SELECT path FROM live_directories WHERE path > ? AND path < ?");
  query.bind(path + "/").bind(path + "0");
  auto nested = query.all_texts();
  if (nested)
    for (auto& other : *nested) other.erase(0, path.size() + 1);
  return nested;
}

Result<std::string> ManagedFileStore::digest_of(const std::string& path) {
  const std::lock_guard lock(mutex_);
  auto query = db_->query("SELECT digest FROM live_directories WHERE path = ?");
  query.bind(path);
  auto digest = query.first_text();
  if (!digest) return tl::unexpected(digest.error());
  return digest->value_or("");
}

Result<ManagedFiles> ManagedFileStore::files_of(const std::string& path) {
  const std::lock_guard lock(mutex_);
  std::vector<ManagedFile> files;
  auto query = db_->query(
      "SELECT path, type, mode, size_bytes, content, disk_size_bytes, disk_mtime_ns FROM managed_files WHERE directory "
      "= ? ORDER BY path");
  query.bind(path);
  for (;;) {
    auto row = query.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return ManagedFiles(std::move(files));
    files.push_back({.entry = {.path = query.text(0),
                               .type = static_cast<EntryType>(query.number(1)),
                               .mode = static_cast<unsigned>(query.number(2)),
                               .size_bytes = static_cast<std::uint64_t>(query.number(3)),
                               .content = query.text(4)},
                     .disk_size_bytes = query.number(5),
                     .disk_mtime_ns = query.number(6)});
  }
}

Status ManagedFileStore::set_files(const std::string& path, const std::string& digest,
                                   const std::vector<ManagedFileRef>& files) {
  const std::lock_guard lock(mutex_);
  auto transaction = Transaction::begin(*db_);
  if (!transaction) return tl::unexpected(transaction.error());
  if (auto done = db_->query("DELETE FROM managed_files WHERE directory = ?").bind(path).run(); !done) return done;
  for (const auto& file : files) {
    auto insert = db_->query(
        "INSERT INTO managed_files (directory, path, type, mode, size_bytes, content, disk_size_bytes, disk_mtime_ns) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    insert.bind(path).bind(file.entry.path).bind(static_cast<std::int64_t>(file.entry.type));
    insert.bind(static_cast<std::int64_t>(file.entry.mode)).bind(static_cast<std::int64_t>(file.entry.size_bytes));
    insert.bind(file.entry.content).bind(file.disk_size_bytes).bind(file.disk_mtime_ns);
    if (auto done = insert.run(); !done) return done;
  }
  auto mark = db_->query("UPDATE live_directories SET digest = ? WHERE path = ?");
  if (auto done = mark.bind(digest).bind(path).run(); !done) return done;
  return transaction->commit();
}

}  // namespace windlass
