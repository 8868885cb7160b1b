#include "jobs/history.h"

#include <algorithm>

namespace windlass {
namespace {

bool fits(const RunRecord& record, const JobQueue::RunFilter& filter) {
  return (!filter.status || record.status == *filter.status) && (!filter.trigger || record.trigger == *filter.trigger);
}

}  // namespace

void History::keep(Kept& kept, RunRecord record) {
  const std::lock_guard lock(mutex_);
  kept.push_front(std::move(record));
  if (kept.size() > kKeptMax) kept.pop_back();
}

Result<std::vector<RunRecord>> History::runs(const JobQueue::RunFilter& filter) {
  const std::lock_guard lock(mutex_);
  auto records = table_.runs(filter, clock_.now() - age_max_);
  if (!records) return records;
  for (const auto* kept : {&unwritten_, &notes_})
    for (const auto& record : *kept) {
      if (!fits(record, filter)) continue;
      const auto older =
          std::ranges::find_if(*records, [&](const auto& r) { return r.created_at < record.created_at; });
      records->insert(older, record);
    }
  if (records->size() > filter.limit) records->resize(filter.limit);
  return records;
}

Result<std::optional<RunRecord>> History::run(const std::string& job_id) {
  const std::lock_guard lock(mutex_);
  auto record = table_.run(job_id, clock_.now() - age_max_);
  if (!record || *record) return record;
  for (const auto* kept : {&unwritten_, &notes_}) {
    const auto found = std::ranges::find(*kept, job_id, &RunRecord::job_id);
    if (found != kept->end()) return std::optional(*found);
  }
  return record;
}

}  // namespace windlass
