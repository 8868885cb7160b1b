// GET /v1/health: does the engine answer, can the state file be written, do the workers move (api 2.6).
//
// A probe may wait for the engine, so it runs on a thread of its own; requests that come meanwhile share its result,
// which is used again for 2 seconds (api/E45).
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "api/worker.h"
#include "base/clock.h"
#include "docker/engine.h"
#include "jobs/queue.h"
#include "sys/http_server.h"

namespace windlass {

class HealthCheck {
 public:
  // `docker_host_set` chooses the words for an engine that does not answer (api/E42, E43).
  HealthCheck(bool docker_host_set, Engine& engine, JobQueue& queue, const Clock& clock)
      : docker_host_set_(docker_host_set), engine_(engine), queue_(queue), clock_(clock) {}

  void answer(std::string job_id, Responder respond);

 private:
  struct Finding {
    SteadyTime at;
    std::string error;  // empty: healthy
    std::string reason;
  };
  struct Waiting {
    std::string job_id;
    Responder respond;
  };
  static ServerResponse response(const Finding& finding, std::string_view job_id);
  Finding examine();
  void probe();

  bool docker_host_set_;
  Engine& engine_;
  JobQueue& queue_;
  const Clock& clock_;
  std::mutex mutex_;
  std::optional<Finding> last_;   // guarded by mutex_
  std::vector<Waiting> waiting_;  // guarded by mutex_; while there are any, a probe is on its way
  Worker worker_;                 // last: its thread ends before what it uses
};

}  // namespace windlass
