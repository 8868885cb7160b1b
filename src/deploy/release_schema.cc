#include "deploy/release_schema.h"

#include "deploy/release_rows.h"

namespace windlass {
namespace {

constexpr std::string_view kSchema = R"(
CREATE TABLE IF NOT EXISTS lane_digests (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  lane TEXT NOT NULL,
  digest TEXT NOT NULL,
  UNIQUE (lane, digest)
);
CREATE TABLE IF NOT EXISTS lane_deployed (lane TEXT PRIMARY KEY, digest TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS release_services (
  release_id TEXT NOT NULL,
  service TEXT NOT NULL,
  inputs TEXT NOT NULL,
  PRIMARY KEY (release_id, service)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS settled_runs (
  lane TEXT NOT NULL,
  target TEXT NOT NULL,
  key TEXT NOT NULL,
  stacks TEXT NOT NULL,
  PRIMARY KEY (lane, target)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bad_runs (
  lane TEXT NOT NULL,
  place TEXT NOT NULL,
  key TEXT NOT NULL,
  PRIMARY KEY (lane, place)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rollbacks (
  job_id TEXT PRIMARY KEY,
  lane TEXT NOT NULL,
  digest TEXT NOT NULL,
  release_id TEXT NOT NULL,
  reason TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stack_loops (
  stack TEXT PRIMARY KEY,
  key TEXT NOT NULL,
  deployments INTEGER NOT NULL,
  recreated INTEGER NOT NULL,
  differences TEXT NOT NULL,
  moved TEXT NOT NULL,
  deployed_at_unix_us INTEGER NOT NULL,
  looping_since_unix_us INTEGER
) WITHOUT ROWID;
)";

constexpr Column kOrderColumn[] = {{"seq", "INTEGER NOT NULL DEFAULT 0"}};

// Models from before the variables of inline deployments were hidden in them (decision 200), which is since this
// column.
constexpr const char* kForgetReadableModels = R"(
UPDATE stacks SET model = ''
WHERE NOT EXISTS (SELECT 1 FROM pragma_table_info('rollbacks') WHERE name = 'ended')
  AND EXISTS (SELECT 1 FROM releases
              WHERE releases.stack = stacks.name AND releases.context = stacks.context AND releases.deployments != '')
)";
constexpr Column kEndColumn[] = {{"ended", "TEXT NOT NULL DEFAULT ''"}};

constexpr std::string_view kEndInterrupted = R"(
UPDATE releases SET state = 'failed', message = 'interrupted' WHERE state = 'running';
UPDATE stacks SET last_state = 'failed' WHERE last_state = 'running';
)";

}  // namespace

Status make_release_tables(Db& db) {
  auto made = make_release_table(db);
  if (made) made = make_stack_table(db);
  if (made) made = db.execute(kSchema);
  for (const auto* table : {"settled_runs", "bad_runs"})
    if (made) made = add_columns(db, table, kOrderColumn);
  if (made) made = db.execute(kForgetReadableModels);
  if (made) made = add_columns(db, "rollbacks", kEndColumn);
  if (made) made = db.execute(kEndInterrupted);
  return made;
}

}  // namespace windlass
