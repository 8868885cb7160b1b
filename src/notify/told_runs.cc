#include "notify/told_runs.h"

namespace windlass {
namespace {

constexpr std::string_view kSchema = R"(
CREATE TABLE told_runs (
  row INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id TEXT NOT NULL UNIQUE
);
)";

}  // namespace

Result<ToldRuns> ToldRuns::open(Db& db) {
  ToldRuns runs(db);
  const auto there = db.query("SELECT name FROM sqlite_schema WHERE name = 'told_runs'").first_text();
  if (!there) return while_doing("opening the list of runs told", there.error());
  runs.is_new_ = !*there;
  if (!runs.is_new_) return runs;
  if (auto made = db.execute(kSchema); !made) return while_doing("opening the list of runs told", made.error());
  return runs;
}

Status ToldRuns::forget(Db& db) { return db.execute("DROP TABLE IF EXISTS told_runs"); }

Result<bool> ToldRuns::contains(const std::string& job_id) {
  return db_->query("SELECT 1 FROM told_runs WHERE job_id = ?").bind(job_id).step();
}

// Without a flush: what a failing power supply undoes is told once more.
Status ToldRuns::add(const std::vector<std::string>& job_ids) {
  auto transaction = Transaction::begin(*db_, Flush::no);
  if (!transaction) return tl::unexpected(transaction.error());
  for (const auto& id : job_ids)
    if (auto done = db_->query("INSERT OR IGNORE INTO told_runs (job_id) VALUES (?)").bind(id).run(); !done)
      return done;
  auto prune = db_->query("DELETE FROM told_runs WHERE row <= (SELECT max(row) FROM told_runs) - ?");
  if (auto done = prune.bind(static_cast<std::int64_t>(kKeptMax)).run(); !done) return done;
  return transaction->commit();
}

}  // namespace windlass
