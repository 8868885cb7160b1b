// When which source is looked at next: pure, told the time (config 11, oci 13). Sources come and go; each has a number
// of its own, which never comes again.
//
// First looks are spread over Options::spread, later ones come an interval after the end of the one before, give or
// take a tenth so that many sources drift apart. Each failure in a row doubles the wait, up to ten intervals. A
// registry that answers is asked for several sources at once, one that does not for a single one: it cannot hold up the
// others.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace windlass {

class PollSchedule {
 public:
  struct Options {
    std::chrono::milliseconds spread{10'000};
    double jitter = 0.1;  // part of an interval, either way
    std::chrono::milliseconds jitter_max{30'000};
    int backoff_max = 10;               // intervals
    int looks_per_registry = 4;         // at once
    std::chrono::seconds next_try{60};  // of what runs once and has no interval
    std::function<double()> random;     // from 0 to 1; empty: as the machine gives it
  };
  struct Entry {
    std::string registry;
    std::chrono::seconds interval{180};
    bool run_once = false;  // forgotten after its first end
  };
  enum class End { good, failed, not_begun };  // not_begun: a failure after which run_once is still to come

  explicit PollSchedule(Options options);

  // More sources, whose first looks are spread from now on; their numbers go up from the one that is returned.
  std::size_t add(const std::vector<Entry>& entries, SteadyTime now);
  // It is not looked at any more. A look or a job that is under way still counts until its end.
  void remove(std::size_t source);

  // The source that has been due for longest and whose registry has room. Busy until end().
  std::optional<std::size_t> take(SteadyTime now);
  // When there will be one to take, if nothing else happens; nothing: only after some end().
  std::optional<SteadyTime> next() const;

  // The registry has answered, or has not: the source stays busy, with a job for instance.
  void looked(std::size_t source, End how);
  // The source is idle again. `come_again`: not before so long.
  void end(std::size_t source, End how, SteadyTime now, std::optional<std::chrono::seconds> come_again = std::nullopt);

 private:
  struct Registry {
    std::set<std::pair<SteadyTime, std::size_t>> due;  // idle sources
    int looks = 0;
    bool answers = true;
  };
  struct Source {
    Entry about;
    int failures = 0;                 // in a row
    std::optional<SteadyTime> due{};  // nothing while it is busy
    bool is_removed = false;          // while it was busy
  };
  bool has_room(const Registry& registry) const;
  void wait_until(std::size_t number, Source& source, SteadyTime due);
  std::chrono::milliseconds wait_after(const Entry& entry, int failures) const;

  Options options_;
  std::map<std::size_t, Source> sources_;  // by number; without those that have run once
  std::size_t next_number_ = 0;
  std::map<std::string, Registry> registries_;
};

}  // namespace windlass
