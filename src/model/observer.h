// What happens, for those who count it (metrics) or tell people of it (notifications).
//
// A call comes on the thread on which it happens, from many at once, also while a deployment waits for it: it must be
// quick, must not block and must not throw. What is named in it lives as long as the call.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "model/job.h"
#include "model/run.h"
#include "model/stack_id.h"

namespace windlass {

// A stack that a job changes.
struct StackEvent {
  const Job& job;
  StackId stack;
  std::string revision;                       // "<ref> (<digest>)", the settled one
  std::vector<std::string> changed_services;  // that get something done to them
  std::chrono::milliseconds elapsed{0};       // once it has ended
};

// What became of a container that was to be restarted because of an engine's event (deploy/E5, E9).
struct RestartEvent {
  enum class Result { restarted, failed, suppressed };
  Result result = Result::restarted;
  std::string_view source_id;  // of the stack's release; may be empty
  StackId stack;
  std::string_view container_id;
  std::string_view container;  // its name
  std::string_view event;      // die, unhealthy, …
  std::string_view error;      // of failed
  int restarts = 0;            // of suppressed: so many within `window`
  std::chrono::seconds window{0};
};

// How the webhook endpoint answered.
enum class WebhookResult { accepted, rejected, unauthorized };

class Observer {
 public:
  // Who does not care.
  static Observer& nobody() {
    static Observer observer;
    return observer;
  }
  Observer() = default;
  virtual ~Observer() = default;
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;

  // The checks have passed, containers are about to change.
  virtual void deployment_started(const StackEvent&) {}
  virtual void deployment_failed(const StackEvent&) {}
  virtual void stack_deployed(const StackEvent&) {}
  virtual void stack_removed(const StackEvent&) {}
  // What the job does now to the stack, "" as such: "pulling images", …; `phase` is "" once that is over.
  virtual void phase_changed(std::string_view /*job_id*/, std::string_view /*stack*/, std::string_view /*phase*/) {}
  // The record is final. `outcome` says what became of each stack; of a job that another took the place of, too.
  virtual void job_ended(const JobRequest&, const RunRecord&, const JobOutcome&) {}
  virtual void container_restarted(const RestartEvent&) {}
  // A look at a polled source; one that finds it moved goes on as a job.
  virtual void poll_ended(const JobRequest&, std::chrono::milliseconds /*elapsed*/, bool /*good*/) {}
  // A polled source cannot be looked at, by an error that is news of it; and then it can again.
  virtual void poll_held_up(const JobRequest&, std::string_view /*error*/) {}
  virtual void poll_goes_on(const JobRequest&) {}
  // `provider`: "oci", "github", …, "registry", or "unknown".
  // `repository`: without the host, "unknown" before it was understood.
  virtual void webhook_answered(std::string_view /*provider*/, std::string_view /*repository*/, WebhookResult) {}
  // The state file refused a write.
  virtual void journal_failed() {}
  // A notification of that level ("info", …) reached its receiver, or never will.
  virtual void notified(std::string_view /*level*/, bool /*delivered*/) {}
};

}  // namespace windlass
