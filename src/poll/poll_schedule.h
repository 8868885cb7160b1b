// When which source is looked at next: pure, told the time (config 11, oci 13).
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

  PollSchedule(Options options, std::vector<Entry> entries, SteadyTime now);

  // The source that has been due for longest and whose registry has room. Busy until end().
  std::optional<std::size_t> take(SteadyTime now);
  // When there will be one to take, if nothing else happens; nothing: only after some end().
  std::optional<SteadyTime> next() const;

  // The registry has answered, or has not: the source stays busy, with a job for instance.
  void looked(std::size_t entry, End how);
  // The source is idle again. `come_again`: not before so long.
  void end(std::size_t entry, End how, SteadyTime now, std::optional<std::chrono::seconds> come_again = std::nullopt);

  std::size_t waiting() const;

 private:
  struct Registry {
    std::set<std::pair<SteadyTime, std::size_t>> due;  // idle sources
    int looks = 0;
    bool answers = true;
  };
  bool has_room(const Registry& registry) const;
  std::chrono::milliseconds wait_after(const Entry& entry, int failures) const;

  Options options_;
  std::vector<Entry> entries_;
  std::vector<int> failures_;  // in a row
  std::map<std::string, Registry> registries_;
};

}  // namespace windlass
