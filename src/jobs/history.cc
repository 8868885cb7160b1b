#include "jobs/history.h"

#include <algorithm>
#include <set>
#include <tuple>

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

std::vector<RunRecord> History::notes_for(const JobQueue::RunFilter& filter) const {
  const bool is_for_everything = !filter.status && !filter.trigger;
  std::vector<RunRecord> notes;
  std::set<std::tuple<std::string, std::string, std::string, std::string>> seen;
  std::size_t looks = 0;
  for (const auto& record : notes_) {
    if (!fits(record, filter)) continue;
    if (is_for_everything && record.status == RunStatus::skipped) {
      const auto ref = record.revision.substr(0, record.revision.find(' '));
      const bool is_new = seen.emplace(record.repository, ref, record.target, record.message).second;
      if (!is_new || ++looks > (filter.limit + 1) / 2) continue;
    }
    notes.push_back(record);
  }
  return notes;
}

Result<std::vector<RunRecord>> History::runs(const JobQueue::RunFilter& filter) {
  const std::lock_guard lock(mutex_);
  auto records = table_.runs(filter, clock_.now() - age_max_);
  if (!records) return records;
  const auto insert = [&](const RunRecord& record) {
    if (!fits(record, filter)) return;
    const auto older = std::ranges::find_if(*records, [&](const auto& r) { return r.created_at < record.created_at; });
    records->insert(older, record);
  };
  std::ranges::for_each(unwritten_, insert);
  std::ranges::for_each(notes_for(filter), insert);
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
