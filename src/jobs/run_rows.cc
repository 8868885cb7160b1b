// The reading half of job_table.h: run records for people and the REST API.
#include <fmt/format.h>

#include "jobs/job_table.h"
#include "jobs/stacks_text.h"

namespace windlass {
namespace {

// "SELECT … FROM runs <rest>", to be read by record_in(). `rest` is constant text.
Query select_runs(Db& db, std::string_view rest) {
  return db.query(
      fmt::format("SELECT job_id, status, \"trigger\", repository, source, target, revision, message, cause, parent, "
                  "attempts, stacks, created_unix_us, updated_unix_us, started_unix_us, finished_unix_us, ref, digest "
                  "FROM runs {}",
                  rest));
}

RunRecord record_in(const Query& query) {
  RunRecord record{.job_id = query.text(0),
                   .trigger = static_cast<Trigger>(query.number(2)),
                   .status = static_cast<RunStatus>(query.number(1)),
                   .repository = query.text(3),
                   .source = query.text(4),
                   .target = query.text(5),
                   .revision = query.text(6),
                   .message = query.text(7),
                   .cause = query.text(8),
                   .parent = query.text(9),
                   .attempts = static_cast<int>(query.number(10)),
                   .stacks = stacks_from_text(query.text(11)),
                   .created_at = from_unix_us(query.number(12)),
                   .updated_at = from_unix_us(query.number(13))};
  if (const auto time = query.number_if(14)) record.started_at = from_unix_us(*time);
  if (const auto time = query.number_if(15)) record.finished_at = from_unix_us(*time);
  if (record.revision.empty()) {  // not told by the handler: that of the request
    JobRequest request{.ref = query.text(16)};
    if (auto digest = Digest::parse(query.text(17))) request.digest = *std::move(digest);
    record.revision = revision_of(request);
  }
  return record;
}

}  // namespace

Result<std::vector<RunRecord>> JobTable::runs(const JobQueue::RunFilter& filter, WallTime finished_after) {
  auto query = select_runs(db_,
                           "WHERE (status < 2 OR finished_unix_us >= ?1) AND (?2 IS NULL OR status = ?2) "
                           "AND (?3 IS NULL OR \"trigger\" = ?3) ORDER BY row DESC LIMIT ?4");
  query.bind(to_unix_us(finished_after));
  query.bind(filter.status ? std::optional<std::int64_t>(static_cast<int>(*filter.status)) : std::nullopt);
  query.bind(filter.trigger ? std::optional<std::int64_t>(static_cast<int>(*filter.trigger)) : std::nullopt);
  query.bind(static_cast<std::int64_t>(filter.limit));
  std::vector<RunRecord> records;
  for (;;) {
    const auto found = query.step();
    if (!found) return tl::unexpected(found.error());
    if (!*found) return records;
    records.push_back(record_in(query));
  }
}

Result<std::optional<RunRecord>> JobTable::run(const std::string& job_id, WallTime finished_after) {
  auto query = select_runs(db_, "WHERE job_id = ? AND (status < 2 OR finished_unix_us >= ?)");
  query.bind(job_id).bind(to_unix_us(finished_after));
  const auto found = query.step();
  if (!found) return tl::unexpected(found.error());
  if (!*found) return std::optional<RunRecord>();
  return std::optional(record_in(query));
}

}  // namespace windlass
