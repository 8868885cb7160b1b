#include "jobs/job_table.h"

#include "base/text.h"
#include "jobs/stacks_text.h"

namespace windlass {
namespace {

// Digests hold no blanks.
std::string digests_to_text(const std::vector<Digest>& digests) {
  std::string text;
  for (const auto& digest : digests) {
    if (!text.empty()) text += ' ';
    text += digest.str();
  }
  return text;
}

std::vector<Digest> digests_from_text(std::string_view text) {
  std::vector<Digest> digests;
  for (const auto part : split(text, ' '))
    if (auto digest = Digest::parse(part)) digests.push_back(*std::move(digest));
  return digests;
}

// Rows stay narrow: nothing is NULL, not an empty text.
Query& bind_text(Query& query, std::string_view text) { return text.empty() ? query.bind_null() : query.bind(text); }

std::optional<WallTime> time_of(const Query& query, int column) {
  const auto time = query.number_if(column);
  if (!time) return std::nullopt;
  return from_unix_us(*time);
}

int number_of(RunStatus status) { return static_cast<int>(status); }
static_assert(static_cast<int>(RunStatus::accepted) == 0 && static_cast<int>(RunStatus::running) == 1 &&
                  static_cast<int>(RunStatus::succeeded) == 2 && static_cast<int>(RunStatus::failed) == 3 &&
                  static_cast<int>(RunStatus::skipped) == 4,
              "the state file keeps these numbers");

}  // namespace

std::string superseded_message(std::string_view by_job_id) { return "superseded by " + std::string(by_job_id); }

Status JobTable::insert(const QueuedJob& job) {
  const auto& request = job.job.request;
  const bool is_replaced = !job.replaced_by.empty();
  const auto now = to_unix_us(job.created_at);
  const auto time_if_ended = is_replaced ? std::optional(now) : std::nullopt;
  auto query = db_.query(
      "INSERT INTO runs (row, job_id, status, \"trigger\", repository, source, target, message, cause, parent,"
      " attempts, created_unix_us, updated_unix_us, started_unix_us, finished_unix_us, source_type, artifact, ref,"
      " ref_is_digest, digest, replaced_digests, retry, deployments, service)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  query.bind(job.row).bind(job.job.id);
  query.bind(number_of(is_replaced ? RunStatus::skipped : RunStatus::accepted));
  query.bind(static_cast<int>(request.trigger));
  bind_text(query, shown_repository(request));
  bind_text(query, request.source_id);
  bind_text(query, request.target);
  bind_text(query, is_replaced ? superseded_message(job.replaced_by) : "");
  bind_text(query, request.cause);
  bind_text(query, job.parent);
  query.bind(now).bind(now).bind(time_if_ended).bind(time_if_ended);
  query.bind(static_cast<int>(request.source));
  bind_text(query, is_replaced ? "" : request.artifact);  // never needed again
  bind_text(query, request.ref);
  query.bind(request.ref_is_digest ? 1 : 0);
  bind_text(query, request.digest ? request.digest->str() : "");
  bind_text(query, is_replaced ? "" : digests_to_text(job.job.replaced_digests));
  query.bind(job.retry);
  bind_text(query, is_replaced ? "" : request.deployments);
  bind_text(query, request.service);
  return query.run();
}

Result<bool> JobTable::record(std::int64_t row, const RunRecord& record) {
  if (is_final(record.status)) {
    auto begun = db_.query(
        "UPDATE runs SET status = ?, message = ?, updated_unix_us = ?, finished_unix_us = ?"
        " WHERE job_id = ? AND status < 2 AND source_type IS NULL");
    begun.bind(number_of(record.status));
    bind_text(begun, record.message);
    const auto ended = to_unix_us(record.updated_at);
    if (auto done = begun.bind(ended).bind(ended).bind(record.job_id).run(); !done) return tl::unexpected(done.error());
    if (db_.changes() > 0) return false;
  }
  auto query = db_.query(
      "INSERT OR IGNORE INTO runs (row, job_id, status, \"trigger\", repository, source, target, revision, message,"
      " cause, parent, attempts, stacks, created_unix_us, updated_unix_us, started_unix_us, finished_unix_us)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  query.bind(row).bind(record.job_id).bind(number_of(record.status)).bind(static_cast<int>(record.trigger));
  for (const auto* text : {&record.repository, &record.source, &record.target, &record.revision, &record.message,
                           &record.cause, &record.parent})
    bind_text(query, *text);
  query.bind(record.attempts);
  bind_text(query, stacks_to_text(record.stacks));
  const auto updated = to_unix_us(record.updated_at);
  const auto finished = record.finished_at ? to_unix_us(*record.finished_at) : updated;
  query.bind(to_unix_us(record.created_at)).bind(updated);
  query.bind(record.started_at ? to_unix_us(*record.started_at) : finished);  // webhook/X4
  query.bind(is_final(record.status) ? std::optional(finished) : std::nullopt);
  if (auto done = query.run(); !done) return tl::unexpected(done.error());
  return db_.changes() > 0;
}

Status JobTable::replace(const QueuedJob& job, WallTime now) {
  const auto time = to_unix_us(now);
  return db_
      .query(
          "UPDATE runs SET status = 4, message = ?, updated_unix_us = ?, finished_unix_us = ?,"
          " started_unix_us = coalesce(started_unix_us, ?), artifact = NULL, replaced_digests = NULL,"
          " deployments = NULL"
          " WHERE row = ? AND status < 2")
      .bind(superseded_message(job.replaced_by))
      .bind(time)
      .bind(time)
      .bind(time)
      .bind(job.row)
      .run();
}

Status JobTable::set_replaced_digests(const QueuedJob& job) {
  auto query = db_.query("UPDATE runs SET replaced_digests = ? WHERE row = ?");
  bind_text(query, digests_to_text(job.job.replaced_digests));
  return query.bind(job.row).run();
}

Status JobTable::lease(const QueuedJob& job, WallTime now) {
  const auto time = to_unix_us(now);
  return db_
      .query(
          "UPDATE runs SET status = 1, attempts = attempts + 1, updated_unix_us = ?,"
          " started_unix_us = coalesce(started_unix_us, ?) WHERE row = ? AND status = 0")
      .bind(time)
      .bind(time)
      .bind(job.row)
      .run();
}

Status JobTable::give_back(std::int64_t row, Attempt attempt, WallTime now) {
  return db_
      .query("UPDATE runs SET status = 0, attempts = attempts - ?, updated_unix_us = ? WHERE row = ? AND status = 1")
      .bind(attempt == Attempt::counts ? 0 : 1)
      .bind(to_unix_us(now))
      .bind(row)
      .run();
}

Status JobTable::end(const QueuedJob& job, const JobOutcome& outcome, WallTime now, std::optional<WallTime> retry_due) {
  const auto time = to_unix_us(now);
  auto query = db_.query(
      "UPDATE runs SET status = ?, message = ?, revision = ?, stacks = ?, updated_unix_us = ?, finished_unix_us = ?,"
      " started_unix_us = coalesce(started_unix_us, ?), retry_due_unix_us = ?,"
      " deployments = CASE WHEN ? THEN deployments END WHERE row = ? AND status < 2");
  query.bind(number_of(outcome.status));
  bind_text(query, outcome.run_message());
  bind_text(query, job.revision);
  bind_text(query, stacks_to_text(outcome.stacks));
  query.bind(time).bind(time).bind(time);
  query.bind(retry_due ? std::optional(to_unix_us(*retry_due)) : std::nullopt);
  query.bind(retry_due ? 1 : 0);  // the deployments are kept no longer than they are needed
  return query.bind(job.row).run();
}

Status JobTable::clear_retry(std::int64_t row) {
  return db_.query("UPDATE runs SET retry_due_unix_us = NULL, deployments = NULL WHERE row = ?").bind(row).run();
}

Status JobTable::set_revision(std::int64_t row, std::string_view revision, WallTime now) {
  return db_.query("UPDATE runs SET revision = ?, updated_unix_us = ? WHERE row = ? AND status < 2")
      .bind(revision)
      .bind(to_unix_us(now))
      .bind(row)
      .run();
}

Status JobTable::touch() { return db_.execute("PRAGMA application_id = 0"); }

Result<std::vector<JobTable::Left>> JobTable::left() {
  auto query = db_.query(
      "SELECT row, job_id, status, \"trigger\", repository, source, target, revision, cause, parent, attempts,"
      " created_unix_us, started_unix_us, artifact, ref, ref_is_digest, digest, replaced_digests, retry,"
      " retry_due_unix_us, source_type, deployments, service FROM runs"
      " WHERE status < 2 OR retry_due_unix_us IS NOT NULL ORDER BY row");
  std::vector<Left> all;
  for (;;) {
    const auto found = query.step();
    if (!found) return tl::unexpected(found.error());
    if (!*found) return all;
    auto& [queued, status, is_job, retry_due] = all.emplace_back();
    status = static_cast<RunStatus>(query.number(2));
    is_job = !query.is_null(20);
    retry_due = time_of(query, 19);
    queued.row = query.number(0);
    queued.on_disk = true;
    queued.job.id = query.text(1);
    queued.job.request = {.trigger = static_cast<Trigger>(query.number(3)),
                          .artifact = query.text(13),
                          .source_id = query.text(5),
                          .repository = query.text(4),
                          .ref = query.text(14),
                          .ref_is_digest = query.number(15) != 0,
                          .target = query.text(6),
                          .cause = query.text(8),
                          .service = query.text(22),
                          .deployments = query.text(21)};
    auto& repository = queued.job.request.repository;
    if (queued.job.request.trigger == Trigger::poll) repository.erase(0, repository.find('/') + 1);
    if (auto digest = Digest::parse(query.text(16))) queued.job.request.digest = *std::move(digest);
    queued.job.replaced_digests = digests_from_text(query.text(17));
    queued.job.attempts = static_cast<int>(query.number(10));
    queued.lane = lane_of(queued.job.request);
    queued.parent = query.text(9);
    queued.retry = static_cast<int>(query.number(18));
    queued.revision = query.text(7);
    queued.created_at = from_unix_us(query.number(11));
    queued.started_at = time_of(query, 12);
  }
}

Result<std::int64_t> JobTable::last_row() {
  auto query = db_.query("SELECT coalesce(max(row), 0) FROM runs");
  if (const auto row = query.step(); !row) return tl::unexpected(row.error());
  return query.number(0);
}

Result<std::int64_t> JobTable::count() {
  auto query = db_.query("SELECT count(*) FROM runs");
  if (const auto row = query.step(); !row) return tl::unexpected(row.error());
  return query.number(0);
}

Result<std::int64_t> JobTable::prune(std::int64_t count_max, std::int64_t look_at, WallTime finished_before) {
  constexpr std::string_view removals[] = {
      "DELETE FROM runs WHERE row IN"
      " (SELECT row FROM runs WHERE status >= 2 AND retry_due_unix_us IS NULL ORDER BY row LIMIT ?)",
      "DELETE FROM runs WHERE row IN"
      " (SELECT row FROM (SELECT row, finished_unix_us FROM runs WHERE status >= 2 AND retry_due_unix_us IS NULL"
      " ORDER BY row LIMIT ?) WHERE finished_unix_us < ?)",
  };
  std::int64_t gone = 0;
  if (count_max > 0) {
    if (auto removed = db_.query(removals[0]).bind(count_max).run(); !removed) return tl::unexpected(removed.error());
    gone += db_.changes();
  }
  if (auto removed = db_.query(removals[1]).bind(look_at).bind(to_unix_us(finished_before)).run(); !removed)
    return tl::unexpected(removed.error());
  return gone + db_.changes();
}

}  // namespace windlass
