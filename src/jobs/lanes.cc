#include "jobs/lanes.h"

#include <algorithm>
#include <utility>

namespace windlass {
namespace {

// The digests that the newer job answers for: those of the older one, and what either had replaced itself.
std::vector<Digest> digests_left_by(QueuedJob& older, const Job& newer) {
  // What is on disk may have to stand again after undo(); what arrived with us is gone either way.
  auto digests = older.on_disk ? older.job.replaced_digests : std::move(older.job.replaced_digests);
  const auto add = [&](const Digest& digest) {
    if (std::ranges::find(digests, digest) == digests.end()) digests.push_back(digest);
  };
  if (older.job.request.digest) add(*older.job.request.digest);
  for (const auto& digest : newer.replaced_digests) add(digest);  // one of an earlier life has some
  if (newer.request.digest) std::erase(digests, *newer.request.digest);
  if (digests.size() > Lanes::kReplacedDigestsMax)
    digests.erase(digests.begin(), digests.end() - Lanes::kReplacedDigestsMax);
  return digests;
}

}  // namespace

Lanes::Offer Lanes::offer(const QueuedJobPtr& job) {
  if (now_.waiting >= waiting_max_ && !waits(job->lane, job->job.request)) return {};
  return {.taken = true, .replaced = restore(job)};
}

QueuedJobPtr Lanes::restore(const QueuedJobPtr& job) {
  auto& waiting = change(job->lane).waiting;
  const auto scope = scope_of(job->job.request);
  const auto older = std::ranges::find(waiting, scope, [](const auto& other) { return scope_of(other->job.request); });
  if (older == waiting.end()) {
    job->place = job->row;
    waiting.push_back(job);
    ++now_.waiting;
    return nullptr;
  }
  job->place = (*older)->place;
  job->job.replaced_digests = digests_left_by(**older, job->job);
  return std::exchange(*older, job);
}

std::vector<QueuedJobPtr> Lanes::lease(std::size_t running_max) {
  if (now_.running >= running_max || now_.waiting == 0) return {};
  std::vector<QueuedJobPtr> first;
  for (const auto& [name, lane] : lanes_)
    if (!lane.running && !lane.waiting.empty()) first.push_back(lane.waiting.front());
  std::ranges::sort(first, {}, [](const auto& job) { return job->place; });
  if (first.size() > running_max - now_.running) first.resize(running_max - now_.running);
  for (const auto& job : first) {
    auto& lane = change(job->lane);
    lane.waiting.erase(lane.waiting.begin());
    lane.running = job;
  }
  now_.waiting -= first.size();
  now_.running += first.size();
  return first;
}

void Lanes::end(const std::string& lane) {
  if (change(lane).running) --now_.running;
  change(lane).running = nullptr;
  if (!in_transaction_) forget_if_empty(lane);
}

bool Lanes::waits(const std::string& lane, const JobRequest& request) const {
  const auto found = lanes_.find(lane);
  if (found == lanes_.end()) return false;
  const auto scope = scope_of(request);
  return std::ranges::any_of(found->second.waiting,
                             [&](const auto& job) { return scope_of(job->job.request) == scope; });
}

bool Lanes::runs(const std::string& lane) const {
  const auto found = lanes_.find(lane);
  return found != lanes_.end() && found->second.running;
}

std::vector<QueuedJobPtr> Lanes::running() const {
  std::vector<QueuedJobPtr> jobs;
  for (const auto& [name, lane] : lanes_)
    if (lane.running) jobs.push_back(lane.running);
  return jobs;
}

void Lanes::begin() {
  in_transaction_ = true;
  counts_before_ = now_;
}

void Lanes::keep() {
  in_transaction_ = false;
  for (const auto& [name, lane] : before_) forget_if_empty(name);
  before_.clear();
}

void Lanes::undo() {
  in_transaction_ = false;
  now_ = counts_before_;
  for (auto& [name, lane] : before_) {
    lanes_[name] = std::move(lane);
    forget_if_empty(name);
  }
  before_.clear();
}

Lanes::Lane& Lanes::change(const std::string& name) {
  auto& lane = lanes_[name];
  if (in_transaction_) before_.try_emplace(name, lane);
  return lane;
}

void Lanes::forget_if_empty(const std::string& name) {
  const auto found = lanes_.find(name);
  if (found != lanes_.end() && !found->second.running && found->second.waiting.empty()) lanes_.erase(found);
}

}  // namespace windlass
