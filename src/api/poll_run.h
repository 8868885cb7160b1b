// POST /v1/api/poll/run: one run of each poll configuration of the body, now (api 2.2).
//
// The call is a run of its own that holds the runs of its entries together; those are jobs of the common queue. It ends
// when the last of them has.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "jobs/queue.h"
#include "sys/http_server.h"

namespace windlass {

class PollRun {
 public:
  struct Options {
    bool strict = false;  // CONFIG_STRICT: unknown keys are faults
  };

  // The clock must live as long as the queue.
  PollRun(Options options, JobQueue& queue, const Clock& clock, Log log)
      : options_(options), queue_(queue), clock_(clock), log_(std::move(log)) {}

  // Answers a request that may: parameters, then body, then the jobs. Without blocking; `job_id` is the id of the call.
  void answer(const ServerRequest& request, std::string job_id, Responder respond) const;

 private:
  Options options_;
  JobQueue& queue_;
  const Clock& clock_;
  Log log_;
};

}  // namespace windlass
