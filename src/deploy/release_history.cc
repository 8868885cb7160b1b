// What ReleaseStore tells of past releases, and the rollbacks that have begun.
#include <fmt/format.h>

#include "config/switch_keys.h"
#include "deploy/release_rows.h"
#include "deploy/release_store.h"
#include "deploy/stored_json.h"

namespace windlass {
namespace {

// Of `releases`: a stack that goes back too, and had been good before, failed when its digest was deployed and never
// got over it. The stacks of that digest were not good together, and this one's images of then are of another (decision
// 197).
constexpr std::string_view kLeftAStackBehind = R"(
EXISTS (SELECT 1 FROM releases AS bad
        WHERE bad.source_id = releases.source_id AND bad.digest = releases.digest AND bad.state IN ('failed', 'running')
          AND bad.cause NOT IN (?8, ?9)
          AND iif(bad.context = '', bad.stack, bad.context || '/' || bad.stack) IN (SELECT value FROM json_each(?7))
          AND EXISTS (SELECT 1 FROM releases AS good
                      WHERE good.stack = bad.stack AND good.context = bad.context AND good.state = 'succeeded'
                        AND good.seq < bad.seq)
          AND NOT EXISTS (SELECT 1 FROM releases AS good
                          WHERE good.stack = bad.stack AND good.context = bad.context AND good.state = 'succeeded'
                            AND good.digest = bad.digest))
)";

}  // namespace

Result<std::vector<Release>> ReleaseStore::releases(const ReleaseFilter& filter, std::size_t limit) {
  const std::lock_guard lock(mutex_);
  auto query =
      select_releases(*db_, "WHERE (?1 = '' OR stack = ?1) AND (?2 OR context = ?3) ORDER BY seq DESC LIMIT ?4");
  query.bind(filter.stack).bind(filter.context ? 0 : 1).bind(filter.context.value_or(""));
  query.bind(static_cast<std::int64_t>(limit));
  return read_releases(query, seal_);
}

Result<std::optional<Release>> ReleaseStore::release(const std::string& id) {
  const std::lock_guard lock(mutex_);
  auto query = select_releases(*db_, "WHERE id = ?");
  query.bind(id);
  return read_release(query, seal_);
}

// By stack as well: polls with inline deployments of their own may deploy other stacks from the same ref.
Result<std::optional<Release>> ReleaseStore::last_good(const JobRequest& request, const std::vector<StackId>& stacks,
                                                       const std::vector<StackId>& going_back,
                                                       const std::string& before_job) {
  const auto ids_of = [](const std::vector<StackId>& list) {
    json::array ids;
    for (const auto& stack : list) ids.emplace_back(stack.str());
    return json::serialize(ids);
  };
  const std::lock_guard lock(mutex_);
  auto query = select_releases(
      *db_, fmt::format("WHERE source_id = ?1 AND target = ?2 AND ref_is_digest = ?3 AND (?3 OR ref = ?4) AND "
                        "state = 'succeeded' AND job_id != ?5 AND artifact != '' AND iif(context = '', stack, "
                        "context || '/' || stack) IN (SELECT value FROM json_each(?6)) AND NOT {} ORDER BY seq DESC "
                        "LIMIT 1",
                        kLeftAStackBehind));
  query.bind(request.source_id).bind(request.target).bind(request.ref_is_digest ? 1 : 0);
  query.bind(request.ref).bind(before_job).bind(ids_of(stacks)).bind(ids_of(going_back));
  query.bind(kRepairCause).bind(kReconcileCause);
  return read_release(query, seal_);
}

Result<std::optional<Release>> ReleaseStore::good_release(const StackId& stack) {
  const std::lock_guard lock(mutex_);
  auto query =
      select_releases(*db_,
                      "WHERE stack = ?1 AND context = ?2 AND state = 'succeeded' AND artifact != '' AND EXISTS "
                      "(SELECT 1 FROM stacks WHERE name = ?1 AND stacks.context = ?2) ORDER BY seq DESC LIMIT 1");
  query.bind(stack.name).bind(stack.context);
  return read_release(query, seal_);
}

namespace {

// The first release of the query with these inline deployments: they are sealed, so no query can compare them.
Result<std::optional<Release>> first_with(const std::string& deployments, Query& query, const Seal& seal) {
  for (;;) {
    auto release = read_release(query, seal);
    if (!release || !*release || (*release)->request.deployments == deployments) return release;
  }
}

}  // namespace

Result<std::optional<Release>> ReleaseStore::good_release_of(const JobRequest& request, const Digest& digest) {
  const std::lock_guard lock(mutex_);
  auto query = select_releases(*db_,
                               "WHERE source_id = ? AND ref = ? AND target = ? AND digest = ? AND state = 'succeeded' "
                               "AND artifact != '' ORDER BY seq DESC");
  query.bind(request.source_id).bind(request.ref).bind(request.target).bind(digest.str());
  return first_with(request.deployments, query, seal_);
}

Result<std::optional<Release>> ReleaseStore::release_brought_to(const JobRequest& request, const Digest& digest) {
  const std::lock_guard lock(mutex_);
  auto query = select_releases(*db_,
                               "WHERE source_id = ? AND ref = ? AND target = ? AND state = 'succeeded' AND artifact != "
                               "'' AND (context, stack) IN (SELECT context, name FROM stacks WHERE brought = ?) ORDER "
                               "BY seq DESC");
  query.bind(request.source_id).bind(request.ref).bind(request.target).bind(digest.str());
  return first_with(request.deployments, query, seal_);
}

Result<std::string> ReleaseStore::failed_stack(const JobRequest& request, const std::string& context,
                                               const std::string& digest) {
  const std::lock_guard lock(mutex_);
  auto query = db_->query(
      "SELECT iif(context = '', name, context || '/' || name) FROM stacks WHERE source_id = ?1 AND ref = ?2 AND target "
      "= ?3 AND context = ?4 AND last_state = 'failed' AND (SELECT digest FROM releases WHERE stack = name AND "
      "releases.context = ?4 ORDER BY seq DESC LIMIT 1) != ?5 LIMIT 1");
  query.bind(request.source_id).bind(request.ref_is_digest ? "@" : request.ref).bind(request.target);
  query.bind(context).bind(digest);
  const auto name = query.first_text();
  if (!name) return tl::unexpected(name.error());
  return name->value_or("");
}

Result<std::map<StackId, std::string>> ReleaseStore::newest() {
  const std::lock_guard lock(mutex_);
  // SQLite takes the other columns from the row that has the maximum
  auto query = db_->query("SELECT stack, max(seq), id || ' ' || state, context FROM releases GROUP BY context, stack");
  std::map<StackId, std::string> newest;
  for (;;) {
    const auto row = query.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return newest;
    newest[{.name = query.text(0), .context = query.text(3)}] = query.text(2);
  }
}

Result<std::optional<Release>> ReleaseStore::good_as_of(const StackId& stack, const Release& release) {
  const std::lock_guard lock(mutex_);
  auto query = select_releases(*db_,
                               "WHERE stack = ?1 AND context = ?3 AND state = 'succeeded' AND seq <= (SELECT seq FROM "
                               "releases WHERE id = ?2) ORDER BY seq DESC LIMIT 1");
  query.bind(stack.name).bind(release.id).bind(stack.context);
  return read_release(query, seal_);
}

namespace {

// Good releases that are kept, (context, stack, digest); one that came again counts once, at its last time.
constexpr std::string_view kKept = R"(
WITH good AS (
  SELECT context, stack, digest, max(seq) AS last FROM releases
  WHERE state = 'succeeded' AND (context, stack) IN (SELECT context, name FROM stacks)
  GROUP BY context, stack, digest),
ranked AS (
  SELECT context, stack, digest, row_number() OVER (PARTITION BY context, stack ORDER BY last DESC) AS place
  FROM good),
kept AS (
  SELECT context, stack, digest FROM ranked
  WHERE place <= (SELECT keep FROM releases
                  WHERE releases.stack = ranked.stack AND releases.context = ranked.context
                  ORDER BY seq DESC LIMIT 1))
)";

Result<std::set<std::string>> set_of(Query query) {
  auto texts = query.all_texts();
  if (!texts) return tl::unexpected(texts.error());
  return std::set<std::string>(texts->begin(), texts->end());
}

}  // namespace

Result<std::vector<Digest>> ReleaseStore::kept_digests() {
  const std::lock_guard lock(mutex_);
  auto texts = set_of(
      db_->query(fmt::format("{}SELECT digest FROM kept UNION SELECT brought FROM stacks WHERE brought != ''", kKept)));
  if (!texts) return tl::unexpected(texts.error());
  std::vector<Digest> digests;
  for (const auto& text : *texts)
    if (auto digest = Digest::parse(text)) digests.push_back(*std::move(digest));
  return digests;
}

Result<std::set<std::string>> ReleaseStore::kept_images() {
  const std::lock_guard lock(mutex_);
  auto query = db_->query(
      fmt::format("{}SELECT value FROM releases JOIN kept USING (context, stack, digest), json_each(releases.images) "
                  "WHERE state = 'succeeded'",
                  kKept));
  return set_of(std::move(query));
}

Result<std::set<std::string>> ReleaseStore::images_of(const StackId& stack) {
  const std::lock_guard lock(mutex_);
  auto query = db_->query("SELECT value FROM releases, json_each(releases.images) WHERE stack = ? AND context = ?");
  query.bind(stack.name).bind(stack.context);
  return set_of(std::move(query));
}

Status ReleaseStore::forget_images(const StackId& stack, const std::set<std::string>& ids) {
  if (ids.empty()) return {};
  const std::lock_guard lock(mutex_);
  auto update = db_->query(
      "UPDATE releases SET images = (SELECT json_group_object(key, value) FROM json_each(releases.images) WHERE value "
      "NOT IN (SELECT value FROM json_each(?1))) WHERE stack = ?2 AND context = ?3");
  return update.bind(json::serialize(json::value_from(ids))).bind(stack.name).bind(stack.context).run();
}

Result<std::vector<DiscoveredStack>> ReleaseStore::discovered(const JobRequest& request) {
  const std::lock_guard lock(mutex_);
  auto query = db_->query(
      "SELECT name, discovery, context FROM stacks WHERE source_id = ? AND ref = ? AND target = ? AND discovery != '' "
      "ORDER BY context, name");
  query.bind(request.source_id).bind(request.ref_is_digest ? "@" : request.ref).bind(request.target);
  std::vector<DiscoveredStack> stacks;
  for (;;) {
    auto row = query.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return stacks;
    auto rules = stored_json(query.text(1));
    if (!rules) return tl::unexpected(rules.error());
    stacks.push_back({{.name = query.text(0), .context = query.text(2)}, auto_discovery_of(*rules)});
  }
}

Result<std::optional<json::object>> ReleaseStore::last_model(const StackId& stack) {
  const std::lock_guard lock(mutex_);
  auto query = db_->query("SELECT model FROM stacks WHERE context = ? AND name = ? AND model != ''");
  query.bind(stack.context).bind(stack.name);
  auto row = query.step();
  if (!row) return tl::unexpected(row.error());
  if (!*row) return std::optional<json::object>();
  auto model = stored_json(query.text(0));
  if (!model) return tl::unexpected(model.error());
  return model->is_object() ? std::optional(std::move(model->get_object())) : std::nullopt;
}

Result<std::vector<std::string>> ReleaseStore::stacks_of(const std::string& source_id, const std::string& context) {
  const std::lock_guard lock(mutex_);
  auto query = db_->query("SELECT name FROM stacks WHERE source_id = ? AND context = ?");
  query.bind(source_id).bind(context);
  return query.all_texts();
}

Result<std::vector<std::string>> ReleaseStore::contexts() {
  const std::lock_guard lock(mutex_);
  return db_->query("SELECT DISTINCT context FROM stacks WHERE context != '' ORDER BY context").all_texts();
}

Status ReleaseStore::close(const Release& removal) {
  const std::lock_guard lock(mutex_);
  auto transaction = Transaction::begin(*db_);
  if (!transaction) return tl::unexpected(transaction.error());
  if (auto done = close_stack(removal); !done) return done;
  return transaction->commit();
}

Status ReleaseStore::pass_on(const Release& removal, const StackId& to) {
  const std::lock_guard lock(mutex_);
  auto transaction = Transaction::begin(*db_);
  if (!transaction) return tl::unexpected(transaction.error());
  auto pass = db_->query(
      "UPDATE stacks SET release_of = coalesce((SELECT release_of FROM stacks WHERE name = ? AND context = ?), "
      "release_of) WHERE name = ? AND context = ? AND release_of = '{}'");
  pass.bind(removal.stack.name).bind(removal.stack.context).bind(to.name).bind(to.context);
  if (auto done = pass.run(); !done) return done;
  if (auto done = close_stack(removal); !done) return done;
  return transaction->commit();
}

// In a transaction.
Status ReleaseStore::close_stack(const Release& removal) {
  if (auto done = insert_release(*db_, seal_, removal); !done) return done;
  if (auto done = end_release(*db_, removal); !done) return done;
  if (auto done = db_->query("DELETE FROM stacks WHERE name = ? AND context = ?")
                      .bind(removal.stack.name)
                      .bind(removal.stack.context)
                      .run();
      !done)
    return done;
  if (auto done = db_->query("DELETE FROM stack_loops WHERE stack = ?").bind(removal.stack.str()).run(); !done)
    return done;
  return prune(removal.stack);
}

Result<std::optional<BegunRollback>> ReleaseStore::begun_rollback(const std::string& job_id) {
  const std::lock_guard lock(mutex_);
  auto query = db_->query("SELECT digest, release_id, reason, ended FROM rollbacks WHERE job_id = ?");
  query.bind(job_id);
  auto row = query.step();
  if (!row) return tl::unexpected(row.error());
  if (!*row) return std::optional<BegunRollback>();
  auto digest = Digest::parse(query.text(0));
  if (!digest) return fail(Kind::internal, "state file: " + digest.error().message);
  return std::optional(BegunRollback{*std::move(digest), query.text(1), query.text(2), query.text(3)});
}

Status ReleaseStore::begin_rollback(const std::string& lane, const std::string& job_id, const BegunRollback& rollback) {
  const std::lock_guard lock(mutex_);
  auto transaction = Transaction::begin(*db_);
  if (!transaction) return tl::unexpected(transaction.error());
  if (auto done = db_->query("DELETE FROM rollbacks WHERE lane = ?").bind(lane).run(); !done) return done;
  auto insert = db_->query("INSERT INTO rollbacks (job_id, lane, digest, release_id, reason) VALUES (?, ?, ?, ?, ?)");
  insert.bind(job_id).bind(lane).bind(rollback.digest.str()).bind(rollback.release_id).bind(rollback.reason);
  if (auto done = insert.run(); !done) return done;
  return transaction->commit();
}

Status ReleaseStore::end_rollback(const std::string& job_id, const std::string& message) {
  const std::lock_guard lock(mutex_);
  return db_->query("UPDATE rollbacks SET ended = ? WHERE job_id = ?").bind(message).bind(job_id).run();
}

}  // namespace windlass
