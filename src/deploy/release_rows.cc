#include "deploy/release_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "deploy/stored_json.h"

namespace windlass {
namespace {

constexpr std::string_view kTable = R"(
CREATE TABLE IF NOT EXISTS releases (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  stack TEXT NOT NULL,
  source_id TEXT NOT NULL,
  ref TEXT NOT NULL,
  target TEXT NOT NULL,
  digest TEXT NOT NULL,
  config_hash TEXT NOT NULL,
  plan TEXT NOT NULL,
  trigger TEXT NOT NULL,
  job_id TEXT NOT NULL,
  state TEXT NOT NULL,
  message TEXT NOT NULL DEFAULT '',
  started_unix_us INTEGER NOT NULL,
  finished_unix_us INTEGER
);
CREATE INDEX IF NOT EXISTS releases_by_stack ON releases (stack, seq);
)";

// Came later, in this order.
constexpr Column kAdded[] = {
    {"artifact", "TEXT NOT NULL DEFAULT ''"},        {"repository", "TEXT NOT NULL DEFAULT ''"},
    {"ref_is_digest", "INTEGER NOT NULL DEFAULT 0"}, {"deployments", "TEXT NOT NULL DEFAULT ''"},
    {"trust_hash", "TEXT NOT NULL DEFAULT ''"},      {"cause", "TEXT NOT NULL DEFAULT ''"},
    {"reasons", "TEXT NOT NULL DEFAULT '[]'"},       {"images", "TEXT NOT NULL DEFAULT '{}'"},
    {"keep", "INTEGER NOT NULL DEFAULT 5"},          {"context", "TEXT NOT NULL DEFAULT ''"},
};

constexpr std::string_view kStackTable = R"(
CREATE TABLE IF NOT EXISTS stacks (
  context TEXT NOT NULL,
  name TEXT NOT NULL,
  source_id TEXT NOT NULL,
  last_state TEXT NOT NULL,
  release_of TEXT NOT NULL,
  ref TEXT NOT NULL DEFAULT '',
  target TEXT NOT NULL DEFAULT '',
  discovery TEXT NOT NULL DEFAULT '',
  reconciliation TEXT NOT NULL DEFAULT '',
  model TEXT NOT NULL DEFAULT '',
  brought TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (context, name)
) WITHOUT ROWID;
)";

// What came to the table before that, in this order.
constexpr Column kOldStackColumns[] = {
    {"ref", "TEXT NOT NULL DEFAULT ''"},       {"target", "TEXT NOT NULL DEFAULT ''"},
    {"discovery", "TEXT NOT NULL DEFAULT ''"}, {"reconciliation", "TEXT NOT NULL DEFAULT ''"},
    {"model", "TEXT NOT NULL DEFAULT ''"},     {"brought", "TEXT NOT NULL DEFAULT ''"},
};

Result<std::vector<std::string>> columns_of(Db& db, std::string_view table) {
  auto query = db.query("SELECT name FROM pragma_table_info(?)");
  query.bind(table);
  return query.all_texts();
}

ReleaseState state_of(std::string_view text) {
  for (const auto state : {ReleaseState::running, ReleaseState::succeeded, ReleaseState::removed})
    if (text == to_string(state)) return state;
  return ReleaseState::failed;
}

Result<std::string> opened(const Seal& seal, const std::string& text) {
  if (text.empty()) return text;
  auto plain = seal.open(text);
  if (!plain) return fail(Kind::internal, "state file: " + plain.error().message);
  return plain;
}

Result<Release> release_of(const Query& row, const Seal& seal) {
  auto deployments = opened(seal, row.text(17));
  if (!deployments) return tl::unexpected(deployments.error());
  auto reasons = stored_json(row.text(20));
  if (!reasons) return tl::unexpected(reasons.error());
  auto images = stored_json(row.text(21));
  if (!images) return tl::unexpected(images.error());
  Release release{.id = row.text(0),
                  .stack = {.name = row.text(1), .context = row.text(23)},
                  .request = {.artifact = row.text(14),
                              .source_id = row.text(2),
                              .repository = row.text(15),
                              .ref = row.text(3),
                              .ref_is_digest = row.number(16) != 0,
                              .target = row.text(4),
                              .cause = row.text(19),
                              .deployments = *std::move(deployments)},
                  .digest = row.text(5),
                  .config_hash = row.text(6),
                  .trust_hash = row.text(18),
                  .plan = row.text(7),
                  .reasons = text_list(*reasons),
                  .images = text_map(images->if_object()),
                  .keep = static_cast<int>(row.number(22)),
                  .job_id = row.text(9),
                  .state = state_of(row.text(10)),
                  .message = row.text(11),
                  .started_at = from_unix_us(row.number(12))};
  if (const auto trigger = parse_trigger(row.text(8))) release.request.trigger = *trigger;
  if (const auto digest = Digest::parse(release.digest)) release.request.digest = *digest;
  if (const auto finished = row.number_if(13)) release.finished_at = from_unix_us(*finished);
  return release;
}

}  // namespace

Status add_columns(Db& db, std::string_view table, std::span<const Column> columns) {
  auto names = columns_of(db, table);
  if (!names) return tl::unexpected(names.error());
  for (const auto& [name, type] : columns) {
    if (std::find(names->begin(), names->end(), name) != names->end()) continue;
    if (auto added = db.execute(fmt::format("ALTER TABLE {} ADD COLUMN {} {}", table, name, type)); !added)
      return added;
  }
  return {};
}

Status make_release_table(Db& db) {
  if (auto made = db.execute(kTable); !made) return made;
  return add_columns(db, "releases", kAdded);
}

Status make_stack_table(Db& db) {
  const auto columns = columns_of(db, "stacks");
  if (!columns) return tl::unexpected(columns.error());
  if (columns->empty() || std::find(columns->begin(), columns->end(), "context") != columns->end())
    return db.execute(kStackTable);
  auto transaction = Transaction::begin(db);
  if (!transaction) return tl::unexpected(transaction.error());
  auto done = add_columns(db, "stacks", kOldStackColumns);
  if (done) done = db.execute("ALTER TABLE stacks RENAME TO stacks_of_one_engine");
  if (done) done = db.execute(kStackTable);
  if (done)
    done = db.execute(R"(
INSERT INTO stacks
SELECT '', name, source_id, last_state, release_of, ref, target, discovery, reconciliation, model, brought
FROM stacks_of_one_engine;
DROP TABLE stacks_of_one_engine;)");
  if (!done) return done;
  return transaction->commit();
}

Status insert_release(Db& db, const Seal& seal, const Release& release) {
  const auto& request = release.request;
  auto insert = db.query(
      "INSERT INTO releases (id, stack, source_id, ref, target, digest, config_hash, plan, trigger, job_id, state, "
      "started_unix_us, artifact, repository, ref_is_digest, deployments, trust_hash, cause, reasons, keep, "
      "context) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'running', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  insert.bind(release.id).bind(release.stack.name).bind(request.source_id).bind(request.ref).bind(request.target);
  insert.bind(release.digest).bind(release.config_hash).bind(release.plan).bind(to_string(request.trigger));
  insert.bind(release.job_id).bind(to_unix_us(release.started_at)).bind(request.artifact).bind(request.repository);
  insert.bind(request.ref_is_digest ? 1 : 0)
      .bind(request.deployments.empty() ? "" : seal.close(request.deployments))
      .bind(release.trust_hash)
      .bind(request.cause);
  insert.bind(json::serialize(json::value_from(release.reasons))).bind(release.keep).bind(release.stack.context);
  return insert.run();
}

Status end_release(Db& db, const Release& release) {
  auto update = db.query("UPDATE releases SET state = ?, message = ?, finished_unix_us = ?, images = ? WHERE id = ?");
  update.bind(to_string(release.state)).bind(release.message);
  update.bind(release.finished_at ? std::optional(to_unix_us(*release.finished_at)) : std::nullopt);
  return update.bind(json::serialize(to_json(release.images))).bind(release.id).run();
}

Query select_releases(Db& db, std::string_view rest) {
  return db.query(fmt::format(
      "SELECT id, stack, source_id, ref, target, digest, config_hash, plan, trigger, job_id, state, message, "
      "started_unix_us, finished_unix_us, artifact, repository, ref_is_digest, deployments, trust_hash, cause, "
      "reasons, images, keep, context FROM releases {}",
      rest));
}

Result<std::vector<Release>> read_releases(Query& query, const Seal& seal) {
  std::vector<Release> releases;
  for (;;) {
    auto row = query.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return releases;
    auto release = release_of(query, seal);
    if (!release) return tl::unexpected(release.error());
    releases.push_back(*std::move(release));
  }
}

Result<std::optional<Release>> read_release(Query& query, const Seal& seal) {
  auto row = query.step();
  if (!row) return tl::unexpected(row.error());
  if (!*row) return std::optional<Release>();
  auto release = release_of(query, seal);
  if (!release) return tl::unexpected(release.error());
  return std::optional(*std::move(release));
}

}  // namespace windlass
