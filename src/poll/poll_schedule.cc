#include "poll/poll_schedule.h"

#include <algorithm>
#include <random>

namespace windlass {
namespace {

double random_part() {
  thread_local std::minstd_rand random{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(random);
}

}  // namespace

PollSchedule::PollSchedule(Options options, std::vector<Entry> entries, SteadyTime now)
    : options_(std::move(options)), entries_(std::move(entries)), failures_(entries_.size()) {
  if (!options_.random) options_.random = random_part;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const auto delay = options_.spread * i / entries_.size();  // the first one at once
    registries_[entries_[i].registry].due.emplace(now + delay, i);
  }
}

bool PollSchedule::has_room(const Registry& registry) const {
  return registry.looks < (registry.answers ? options_.looks_per_registry : 1);
}

std::optional<std::size_t> PollSchedule::take(SteadyTime now) {
  Registry* longest = nullptr;
  for (auto& [name, registry] : registries_)
    if (has_room(registry) && !registry.due.empty() && registry.due.begin()->first <= now &&
        (!longest || *registry.due.begin() < *longest->due.begin()))
      longest = &registry;
  if (!longest) return std::nullopt;
  ++longest->looks;
  return longest->due.extract(longest->due.begin()).value().second;
}

std::optional<SteadyTime> PollSchedule::next() const {
  std::optional<SteadyTime> next;
  for (const auto& [name, registry] : registries_)
    if (has_room(registry) && !registry.due.empty() && (!next || registry.due.begin()->first < *next))
      next = registry.due.begin()->first;
  return next;
}

void PollSchedule::looked(std::size_t entry, End how) {
  auto& registry = registries_[entries_[entry].registry];
  --registry.looks;
  registry.answers = how == End::good;
}

void PollSchedule::end(std::size_t entry, End how, SteadyTime now, std::optional<std::chrono::seconds> come_again) {
  const auto& about = entries_[entry];
  if (about.run_once && how != End::not_begun) return;
  failures_[entry] = how == End::good ? 0 : failures_[entry] + 1;
  std::chrono::milliseconds wait = wait_after(about, failures_[entry]);
  if (come_again) wait = std::max<std::chrono::milliseconds>(wait, *come_again);
  registries_[about.registry].due.emplace(now + wait, entry);
}

std::size_t PollSchedule::waiting() const {
  std::size_t count = 0;
  for (const auto& [name, registry] : registries_) count += registry.due.size();
  return count;
}

// The first failure costs nothing: most are over before the next look.
std::chrono::milliseconds PollSchedule::wait_after(const Entry& entry, int failures) const {
  const int factor = failures <= 1 ? 1 : std::min(1 << std::min(failures - 1, 20), options_.backoff_max);
  const auto interval = entry.interval.count() == 0 ? options_.next_try : entry.interval;
  const std::chrono::milliseconds span = interval * factor;
  const auto most =
      std::min(std::chrono::duration_cast<std::chrono::milliseconds>(span * options_.jitter), options_.jitter_max);
  return span + std::chrono::duration_cast<std::chrono::milliseconds>(most * (2 * options_.random() - 1));
}

}  // namespace windlass
