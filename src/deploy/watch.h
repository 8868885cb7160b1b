// Watches a stack start, by the engine's events (deploy/C11 to C13).
//
// Opened before the containers are made, so that no event is missed. A service is ready when each of its containers is:
// healthy; or without a health check running for 2 s with no restart, counted from its start; or ended with 0 where its
// restart policy leaves it so. An unhealthy, dead or restarting container, or one that ended otherwise, fails at once.
// Whatever the events say, a container's state is read from the engine before it is believed, and all of it again after
// the stream was cut.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/log.h"
#include "deploy/planning.h"
#include "deploy/readiness.h"
#include "docker/engine.h"
#include "model/rollback_rule.h"

namespace windlass {

struct WatchOptions {
  std::chrono::milliseconds steady_for{2000};
  std::chrono::milliseconds reopen_pause{500};  // between tries while the engine is away
  std::chrono::milliseconds removed_for{3000};  // a container that is gone for so long is not being replaced
  int log_lines = 20;                           // of a container that failed
};

class HealthWatch {
 public:
  // `engine` must outlive the watch. What `log` masks is masked in all that is told of a container, before long texts
  // are cut: a piece of a secret would not be known again.
  static Result<std::unique_ptr<HealthWatch>> open(Engine& engine, std::string project, const Log& log,
                                                   const Deadline& deadline, WatchOptions options = {});

  // Good when every service is ready; all containers were made before the call. Errors: Kind::invalid "service <s>:
  // container <c> exited with code 3; last log lines: …", "service <s>: 0 of 1 containers are there: …" or, of
  // timed_out(), "timed out …"; Kind::unavailable when stopped, or when the engine is away at the end.
  Status wait(const std::vector<ServiceShape>& services, std::chrono::milliseconds timeout, const Deadline& deadline);

  // After a good wait(): watches on for `span`. Errors as of wait(), with "(within 10s of its start)".
  Status hold(std::chrono::milliseconds span, const Deadline& deadline);

  // What came between, when wait(), hold() or failure_now() told of a failure.
  StartFailure failure() const { return failure_; }

  // The first failure there is now, in the words of wait(); "" if there is none. For a driver that could not bring the
  // stack up, because one service waits for another that failed.
  std::string failure_now(const std::vector<ServiceShape>& services, const Deadline& deadline);

  // Who is not there yet, as of the last look, and what each lacks (C13): "timed out after 3m0s waiting for services to
  // start: a, b; a: not started yet; b: still running"; "" if all are. What a health check printed is in it.
  std::string timed_out(std::chrono::milliseconds timeout) const;

 private:
  struct Watched {
    std::string service;
    std::string name;
    Readiness readiness;
    bool is_running = false;
    std::string started_at;  // of the run that steady_at belongs to
    SteadyTime steady_at;    // when a container without a health check counts as ready
    int restarts_at_first = 0;
  };

  HealthWatch(Engine& engine, std::string project, const Log& log, WatchOptions options);

  void expect(const std::vector<ServiceShape>& services);
  void note(const EngineEvent& event);
  void note_what_happened();
  void hear_ahead();
  Result<std::optional<EngineEvent>> next_event(const Deadline& deadline);
  Status look_after_next_event(const Deadline& deadline);
  Status come_back(const Deadline& deadline);
  Status open_events(const Deadline& deadline);
  Status look_at_all(const Deadline& deadline);
  Status look_at(const std::string& id, const std::string& service, const Deadline& deadline);
  Status look_at_steadying(const Deadline& deadline);
  SteadyTime next_steady() const;
  SteadyTime steady_at(const ContainerDetail& container, bool started_while_watching) const;
  std::vector<std::string> not_ready() const;
  std::vector<std::string> late() const;
  std::string why_late(const std::string& service) const;
  std::string removed_for_good();
  std::string first_failure(const Deadline& deadline);

  Engine& engine_;
  std::string project_;
  Log log_;
  WatchOptions options_;
  SteadyTime opened_at_;
  std::unique_ptr<EventStream> events_;
  std::deque<EngineEvent> kept_;                // noted already, still to be looked after
  std::map<std::string, int> wanted_;           // service -> replicas
  std::set<std::string> must_end_;              // those of them that others wait for to end
  std::map<std::string, Watched> watched_;      // container id
  std::set<std::string> started_;               // ids that were started since opened_at_
  std::map<std::string, int> exit_codes_;       // id -> of its last end that was heard of
  std::optional<SteadyTime> incomplete_since_;  // some service has fewer containers than it is to have
  StartFailure failure_ = StartFailure::failed;
};

}  // namespace windlass
