#include "jobs/schema.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>
#include <system_error>

#include "base/crash_point.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kVersion = 4;

// A page by page check reads about 1 GB/s. A file that was closed well gets it only while it costs less than ten
// milliseconds: the daemon answers 50 ms after its start. After an unclean end it is always made.
constexpr std::uintmax_t kAlwaysCheckedBytesMax = 8 << 20;

// One narrow row per job, which is its run record as well. Two indexes only: each costs at every accept.
constexpr const char* kSchema = R"(
CREATE TABLE runs (
  row INTEGER PRIMARY KEY,
  job_id TEXT NOT NULL UNIQUE,
  status INTEGER NOT NULL,
  "trigger" INTEGER NOT NULL,
  repository TEXT,
  source TEXT,
  target TEXT,
  revision TEXT,
  message TEXT,
  cause TEXT,
  parent TEXT,
  attempts INTEGER NOT NULL,
  stacks TEXT,
  created_unix_us INTEGER NOT NULL,
  updated_unix_us INTEGER NOT NULL,
  started_unix_us INTEGER,
  finished_unix_us INTEGER,
  source_type INTEGER,
  artifact TEXT,
  ref TEXT,
  ref_is_digest INTEGER,
  digest TEXT,
  replaced_digests TEXT,
  retry INTEGER NOT NULL DEFAULT 0,
  retry_due_unix_us INTEGER,
  deployments TEXT,
  service TEXT
) STRICT;
CREATE INDEX runs_to_do ON runs (row) WHERE status < 2 OR retry_due_unix_us IS NOT NULL;
PRAGMA user_version = 4;
)";

// What brings a file of schema 1, 2, … one further.
constexpr const char* kMigrations[] = {
    "ALTER TABLE runs ADD COLUMN deployments TEXT; PRAGMA user_version = 2;",
    "ALTER TABLE runs ADD COLUMN service TEXT; PRAGMA user_version = 3;",
    // Nothing here: the table of the stacks has another primary key since, which an older windlass cannot write.
    "PRAGMA user_version = 4;",
};
static_assert(std::size(kMigrations) + 1 == kVersion);

Result<std::int64_t> number_of(Db& db, std::string_view sql) {
  auto query = db.query(sql);
  const auto row = query.step();
  if (!row) return tl::unexpected(row.error());
  return *row ? query.number(0) : 0;
}

tl::unexpected<Error> damaged(const fs::path& file, std::string_view reason) {
  return fail(Kind::internal,
              fmt::format("state file {} is damaged ({}): restore it, or start with windlass serve --rebuild-state, "
                          "which keeps it and reads from the engine what is deployed",
                          file.string(), reason));
}

tl::unexpected<Error> cannot_open(const fs::path& file, const Error& cause) {
  if (cause.kind == Kind::internal) return damaged(file, cause.message);
  return while_doing(fmt::format("opening state file {}", file.string()), cause);
}

Status add_tables(Db& db) {
  auto transaction = Transaction::begin(db);
  if (!transaction) return tl::unexpected(transaction.error());
  if (auto made = db.execute(kSchema); !made) return made;
  return transaction->commit();
}

// All steps or none: killed in between, the file still is what it was (reliability/P29).
Status migrate(Db& db, std::int64_t version) {
  auto transaction = Transaction::begin(db);
  if (!transaction) return tl::unexpected(transaction.error());
  for (; version < kVersion; ++version)
    if (auto done = db.execute(kMigrations[version - 1]); !done) return done;
  crash_point("migrate.half");
  return transaction->commit();
}

// Renames durably: the folder's entry is synced as well.
Status put_in_place(const fs::path& made, const fs::path& file) {
  const int folder = ::open(file.parent_path().empty() ? "." : file.parent_path().c_str(), O_RDONLY | O_CLOEXEC);
  const bool done = folder >= 0 && ::rename(made.c_str(), file.c_str()) == 0 && ::fsync(folder) == 0;
  const int code = errno;
  if (folder >= 0) ::close(folder);
  if (done) return {};
  return fail(Kind::unavailable,
              fmt::format("creating state file {}: {}", file.string(), std::generic_category().message(code)));
}

// A new file appears complete under its name: one that is empty or without tables has lost something.
Status create(const fs::path& file) {
  fs::path made = file;
  made += ".new";
  std::error_code ignored;
  for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(made.string() + suffix, ignored);
  {
    auto db = Db::open(made);
    if (!db) return while_doing(fmt::format("creating state file {}", file.string()), db.error());
    if (auto added = add_tables(**db); !added)
      return while_doing(fmt::format("creating state file {}", file.string()), added.error());
  }
  return put_in_place(made, file);
}

Status judge(Db& db, const fs::path& file, bool check_pages) {
  const auto version = number_of(db, "PRAGMA user_version");
  if (!version) return cannot_open(file, version.error());
  if (*version > kVersion)
    return fail(Kind::conflict,
                fmt::format("state file {} has schema {}, this windlass knows up to {}: start the newer "
                            "windlass again, or move the file away",
                            file.string(), *version, kVersion));
  if (check_pages) {
    if (auto checked = db.check(); !checked) return cannot_open(file, checked.error());
  }
  const auto tables = number_of(db, "SELECT count(*) FROM sqlite_schema WHERE name IN ('runs', 'runs_to_do')");
  if (!tables) return cannot_open(file, tables.error());
  if (*tables == 2 && *version > 0) return *version < kVersion ? migrate(db, *version) : Status();
  if (*tables == 0 && *version == 0) return add_tables(db);  // another store has made the file
  return damaged(file, "tables are missing");
}

}  // namespace

Result<std::unique_ptr<Db>> open_state(const fs::path& file) {
  std::error_code missing;
  auto bytes = fs::file_size(file, missing);
  if (missing == std::errc::no_such_file_or_directory) {
    if (auto created = create(file); !created) return tl::unexpected(created.error());
    bytes = 0;
  } else if (!missing && bytes == 0) {
    return damaged(file, "it is empty");
  }
  const bool was_closed_well = !fs::exists(file.string() + "-wal", missing);
  auto db = Db::open(file);
  if (!db) return cannot_open(file, db.error());
  if (auto judged = judge(**db, file, !was_closed_well || bytes <= kAlwaysCheckedBytesMax); !judged)
    return tl::unexpected(judged.error());
  return db;
}

}  // namespace windlass
