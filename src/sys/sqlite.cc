#include "sys/sqlite.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <system_error>

namespace windlass {
namespace {

constexpr int kLockWaitMs = 5000;

// Small on purpose: the daemon has a connection per store and 16 MB in all.
constexpr const char* kSettings =
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL;"
    "PRAGMA foreign_keys = ON;"
    "PRAGMA cache_size = -512;"              // 512 KiB
    "PRAGMA mmap_size = 0;"                  // a damaged disk must give an error, not SIGBUS
    "PRAGMA temp_store = MEMORY;"            // no files outside the data directory
    "PRAGMA journal_size_limit = 8388608;";  // the -wal shrinks to 8 MiB after a burst

// What SQLite would take in advance for every connection, used or not: a sixth of what the idle daemon needs.
void take_memory_as_needed() {
  static const bool once = [] {
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 128, 64);        // 8 KiB of small objects instead of 48 to 120
    sqlite3_config(SQLITE_CONFIG_PAGECACHE, nullptr, 0, 0);  // no 20 pages at once
    return true;
  }();
  (void)once;
}

Kind kind_of(int result) {
  switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_NOMEM:
      return Kind::unavailable;
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return Kind::denied;
    case SQLITE_CONSTRAINT:
      return Kind::conflict;
    default:
      return Kind::internal;
  }
}

// SQLite gives the -wal and -shm files the mode of the file itself, whatever the umask is.
Status make_private(const std::filesystem::path& file) {
  const auto broken = [&](int code) {
    const auto kind = code == EACCES || code == EPERM ? Kind::denied : Kind::unavailable;
    return fail(kind, fmt::format("opening {}: {}", file.string(), std::generic_category().message(code)));
  };
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return broken(errno);
  struct stat status {};
  const bool is_private = ::fstat(fd, &status) == 0 && (status.st_mode & 07777) == 0600;
  const int code = is_private || ::fchmod(fd, 0600) == 0 ? 0 : errno;
  ::close(fd);
  if (code != 0) return broken(code);
  return {};
}

}  // namespace

Query::Query(Query&& other) noexcept
    : db_(other.db_),
      statement_(std::exchange(other.statement_, nullptr)),
      idle_(other.idle_),
      result_(other.result_),
      bound_(other.bound_) {}

Query::~Query() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  idle_->push_back(statement_);
}

Query& Query::bind(std::string_view text) {
  if (statement_ == nullptr) return *this;
  const char* bytes = text.data() != nullptr ? text.data() : "";  // a null pointer would be NULL to SQLite
  const int result = sqlite3_bind_text64(statement_, ++bound_, bytes, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (result_ == SQLITE_OK) result_ = result;
  return *this;
}

Query& Query::bind(std::int64_t number) {
  if (statement_ == nullptr) return *this;
  const int result = sqlite3_bind_int64(statement_, ++bound_, number);
  if (result_ == SQLITE_OK) result_ = result;
  return *this;
}

Query& Query::bind_null() {
  if (statement_ == nullptr) return *this;
  const int result = sqlite3_bind_null(statement_, ++bound_);
  if (result_ == SQLITE_OK) result_ = result;
  return *this;
}

Result<bool> Query::step() {
  if (result_ != SQLITE_OK) return tl::unexpected(db_->error(result_));
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  return tl::unexpected(db_->error(result));
}

Status Query::run() {
  for (;;) {
    const auto row = step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return {};
  }
}

Result<std::optional<std::string>> Query::first_text() {
  auto row = step();
  if (!row) return tl::unexpected(row.error());
  return *row ? std::optional(text(0)) : std::nullopt;
}

Result<std::vector<std::string>> Query::all_texts() {
  std::vector<std::string> texts;
  for (;;) {
    auto row = step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return texts;
    texts.push_back(text(0));
  }
}

std::string Query::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return bytes == nullptr ? "" : std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

std::int64_t Query::number(int column) const { return sqlite3_column_int64(statement_, column); }

bool Query::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

std::optional<std::int64_t> Query::number_if(int column) const {
  if (is_null(column)) return std::nullopt;
  return number(column);
}

Result<std::unique_ptr<Db>> Db::open(const std::filesystem::path& file) {
  if (auto made = make_private(file); !made) return tl::unexpected(made.error());
  take_memory_as_needed();
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int result = sqlite3_open_v2(file.c_str(), &handle, flags, nullptr);
  std::unique_ptr<Db> db(new Db(handle, file));  // owned before any return: a failed open must be closed as well
  if (result != SQLITE_OK) return while_doing("opening", db->error(result));
  sqlite3_busy_timeout(handle, kLockWaitMs);
  if (auto set = db->execute(kSettings); !set) return while_doing("opening", set.error());
  return db;
}

Db::~Db() {
  for (auto& [sql, statements] : idle_)
    for (auto* statement : statements) sqlite3_finalize(statement);
  sqlite3_close_v2(handle_);
}

Query Db::query(std::string_view sql) {
  auto found = idle_.find(sql);
  if (found == idle_.end()) found = idle_.emplace(std::string(sql), Query::Idle()).first;
  auto& idle = found->second;
  if (!idle.empty()) {
    auto* statement = idle.back();
    idle.pop_back();
    return Query(*this, statement, &idle, SQLITE_OK);
  }
  sqlite3_stmt* statement = nullptr;
  const int result = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                        &statement, nullptr);
  if (result == SQLITE_ERROR) {  // anything else is the file's fault
    std::fprintf(stderr, "wrong SQL: %s: %s\n", found->first.c_str(), sqlite3_errmsg(handle_));
    std::abort();
  }
  return Query(*this, statement, &idle, result);
}

Status Db::execute(std::string_view sql) {
  const int result = sqlite3_exec(handle_, std::string(sql).c_str(), nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) return tl::unexpected(error(result));
  return {};
}

Status Db::check() {
  auto query = this->query("PRAGMA quick_check(1)");
  const auto row = query.step();
  if (!row) return tl::unexpected(row.error());
  if (*row && query.text(0) == "ok") return {};
  return fail(Kind::internal, fmt::format("{}: {}", file_.string(), *row ? query.text(0) : "nothing to check"));
}

std::int64_t Db::changes() const { return sqlite3_changes64(handle_); }

Error Db::error(int result) const {
  // The connection's text is richer than the code's ("no such table: x"), if it is about this error at all.
  const bool same = sqlite3_extended_errcode(handle_) == result;
  std::string text = same ? sqlite3_errmsg(handle_) : sqlite3_errstr(result);
  if (const int code = sqlite3_system_errno(handle_); code != 0 && (result & 0xff) == SQLITE_IOERR)
    text += fmt::format(" ({})", std::generic_category().message(code));
  return {kind_of(result), fmt::format("{}: {}", file_.string(), text)};
}

Status Db::set_flush(Flush flush) {
  if (flush == flush_) return {};
  auto set = execute(flush == Flush::yes ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  if (set) flush_ = flush;
  return set;
}

Result<Transaction> Transaction::begin(Db& db, Flush flush) {
  Transaction transaction(db);
  if (auto set = db.set_flush(flush); !set) return tl::unexpected(set.error());
  if (auto begun = db.query("BEGIN IMMEDIATE").run(); !begun) return tl::unexpected(begun.error());
  return transaction;
}

Status Transaction::commit() {
  auto committed = db_->query("COMMIT").run();
  if (committed) end();
  return committed;
}

Transaction::~Transaction() {
  if (db_ == nullptr) return;
  // SQLite rolls back by itself on a full disk, and there is nothing to roll back before BEGIN
  if (sqlite3_get_autocommit(db_->handle_) == 0) (void)db_->query("ROLLBACK").run();
  end();
}

void Transaction::end() {
  (void)db_->set_flush(Flush::yes);  // else the next one does, or does not begin
  db_ = nullptr;
}

}  // namespace windlass
