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

PollSchedule::PollSchedule(Options options) : options_(std::move(options)) {
  if (!options_.random) options_.random = random_part;
}

std::size_t PollSchedule::add(const std::vector<Entry>& entries, SteadyTime now) {
  const auto first = next_number_;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    auto& source = sources_[next_number_] = {.about = entries[i]};
    wait_until(next_number_++, source, now + options_.spread * i / entries.size());  // the first one at once
  }
  return first;
}

void PollSchedule::remove(std::size_t number) {
  const auto found = sources_.find(number);
  if (found == sources_.end()) return;
  auto& source = found->second;
  if (!source.due) {
    source.is_removed = true;
    return;
  }
  registries_[source.about.registry].due.erase({*source.due, number});
  sources_.erase(found);
}

void PollSchedule::wait_until(std::size_t number, Source& source, SteadyTime due) {
  source.due = due;
  registries_[source.about.registry].due.emplace(due, number);
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
  const auto number = longest->due.extract(longest->due.begin()).value().second;
  sources_.at(number).due.reset();
  return number;
}

std::optional<SteadyTime> PollSchedule::next() const {
  std::optional<SteadyTime> next;
  for (const auto& [name, registry] : registries_)
    if (has_room(registry) && !registry.due.empty() && (!next || registry.due.begin()->first < *next))
      next = registry.due.begin()->first;
  return next;
}

void PollSchedule::looked(std::size_t number, End how) {
  auto& registry = registries_[sources_.at(number).about.registry];
  --registry.looks;
  registry.answers = how == End::good;
}

void PollSchedule::end(std::size_t number, End how, SteadyTime now, std::optional<std::chrono::seconds> come_again) {
  const auto found = sources_.find(number);
  if (found == sources_.end() || found->second.due) return;
  auto& source = found->second;
  if (source.is_removed || (source.about.run_once && how != End::not_begun)) {
    sources_.erase(found);
    return;
  }
  source.failures = how == End::good ? 0 : source.failures + 1;
  std::chrono::milliseconds wait = wait_after(source.about, source.failures);
  if (come_again) wait = std::max<std::chrono::milliseconds>(wait, *come_again);
  wait_until(number, source, now + wait);
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
