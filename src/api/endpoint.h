// The REST API: which call a request is, whether it may, and who answers it (api 1).
//
// The order of checks is method, key, existence, parameters. What reads the state file runs on a helper thread.
//
// Not here: what the calls answer (runs.h, releases.h, plan.h, poll_run.h, health.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/authentication.h"
#include "api/health.h"
#include "api/poll_run.h"
#include "api/releases.h"
#include "api/worker.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "docker/engine.h"
#include "jobs/queue.h"
#include "sys/client_address.h"
#include "sys/http_server.h"

namespace windlass {

class ApiEndpoint {
 public:
  struct Options {
    Secret secret;                             // empty: there is no API but /v1/health (api/B2)
    bool docker_host_set = false;              // DOCKER_HOST names the engine
    bool config_strict = false;                // CONFIG_STRICT
    std::vector<std::string> trusted_proxies;  // CIDRs, checked by the settings
    std::string trusted_header;                // TRUSTED_PROXY_HEADER
  };

  ApiEndpoint(Options options, JobQueue& queue, ReleaseArchive& archive, Engine& engine, const Clock& clock, Log log);

  // The key from now on; without one there is no API but /v1/health. On the server's thread.
  void use(const Secret& secret);

  // Is this the path of a call?
  bool serves(std::string_view path) const;
  // Answers a request for such a path. On the server's thread, without blocking.
  void handle(ServerRequest request, Responder respond);

 private:
  void answer_runs(const ServerRequest& request, std::string job_id, Responder respond);
  void answer_releases(const ServerRequest& request, std::string job_id, Responder respond);
  void answer_plan_request(const ServerRequest& request, std::string job_id, Responder respond);
  void answer_rollback(const ServerRequest& request, std::string release_id, std::string job_id, Responder respond);
  Responder log_when_answered(const ServerRequest& request, const std::string& job_id, const std::string& ip,
                              Responder respond) const;
  // Runs `read` on the helper thread and answers with what it gives.
  void answer_later(std::string job_id, Responder respond, std::function<ServerResponse(const std::string&)> read);
  void do_later(Worker& worker, const std::string& job_id, const Responder& respond, std::function<void()> task);

  bool is_enabled_;
  ApiKeyCheck key_;
  ClientAddresses addresses_;
  JobQueue& queue_;
  ReleaseArchive& archive_;
  const Clock& clock_;
  Log log_;
  HealthCheck health_;
  PollRun polls_;
  Releases releases_;
  Worker reader_;   // of the state file
  Worker planner_;  // one plan at a time: each fetches and starts child processes
};

}  // namespace windlass
