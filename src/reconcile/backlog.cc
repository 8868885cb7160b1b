#include "reconcile/backlog.h"

#include <algorithm>

namespace windlass {

using namespace std::chrono_literals;

bool Backlog::add(Entry entry, std::chrono::milliseconds after) {
  const std::lock_guard lock(mutex_);
  entry.due = clock_.steady_now() + after;
  const auto known =
      std::ranges::find_if(kept_, [&](const Entry& kept) { return kept.occurrence == entry.occurrence; });
  if (known != kept_.end()) {
    known->failures = std::max(known->failures, entry.failures);
    if (entry.occurrence.time_ns > known->occurrence.time_ns) known->occurrence = std::move(entry.occurrence);
    if (entry.due >= known->due) return true;
    known->due = entry.due;
  } else if (kept_.size() >= kKeptMax) {
    return false;
  } else {
    kept_.push_back(std::move(entry));
  }
  ++changes_;
  changed_.notify_all();
  return true;
}

std::optional<Backlog::Entry> Backlog::next(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto now = clock_.steady_now();
    if (auto entry = take(now)) return entry;
    const auto has_changed = [this, seen = changes_] { return changes_ != seen; };
    if (const auto wait = time_to_next(now))
      changed_.wait_for(lock, stop, *wait, has_changed);
    else
      changed_.wait(lock, stop, has_changed);
  }
  return std::nullopt;
}

void Backlog::done(const StackId& stack) {
  const std::lock_guard lock(mutex_);
  busy_.erase(stack);
  ++changes_;
  changed_.notify_all();
}

std::optional<Backlog::Entry> Backlog::take(SteadyTime now) {
  const auto is_ready = [&](const Entry& entry) {
    const auto& stack = entry.occurrence.stack;
    return entry.due <= now && !busy_.contains(stack) && locks_.is_free(stack);
  };
  const auto found = std::ranges::find_if(kept_, is_ready);
  if (found == kept_.end()) return std::nullopt;
  std::optional<Entry> entry(std::move(*found));
  kept_.erase(found);
  busy_.insert(entry->occurrence.stack);
  return entry;
}

// Nothing: done() or add() will tell. Nobody tells when a stack's lock is free again.
std::optional<std::chrono::milliseconds> Backlog::time_to_next(SteadyTime now) const {
  std::optional<std::chrono::milliseconds> wait;
  for (const auto& entry : kept_) {
    if (busy_.contains(entry.occurrence.stack)) continue;
    const auto left = entry.due <= now ? look_again_ : std::chrono::ceil<std::chrono::milliseconds>(entry.due - now);
    wait = std::min({wait.value_or(look_again_), left, look_again_});
  }
  return wait;
}

}  // namespace windlass
