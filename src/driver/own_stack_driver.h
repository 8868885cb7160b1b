// Brings up a stack that has the container windlass itself runs in (deploy/U2).
//
// The tool would be ended with us in the middle of its work. So a helper does it, a container of our own image that
// outlives ours (app/take_over.h). Mostly our container stays as it is, the helper says that it is done, and all goes
// on. When ours is made anew, we are ended meanwhile; the job is taken back by the next process as after any crash,
// comes here again, and finds what the helper has to say of its order.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/secret.h"
#include "docker/engine.h"
#include "driver/driver.h"
#include "driver/handover.h"

namespace windlass {

class OwnStackDriver final : public Driver {
 public:
  struct Options {
    std::string own_container;   // id; "": this process runs in none
    std::string program;         // of this process
    bool needs_network = false;  // to reach the engine
    std::chrono::milliseconds look_again = std::chrono::milliseconds(200);
  };

  OwnStackDriver(Options options, std::unique_ptr<Driver> driver, Engine& engine, Handover handover, Log log);

  // After check(): the data folder as the engine's host sees it.
  void set_host_data_dir(std::string path) { host_data_dir_ = std::move(path); }
  // Once at start, when this process is able to work: a helper that waits for that hears of it.
  Status arrive(const Deadline& deadline);

  // Is a helper at work?
  bool is_waiting() const { return is_waiting_; }

  // As Driver says. Of a stack with our own container: Kind::unavailable also when the helper was killed.
  Status up(const ResolvedStack& stack, const UpOptions& options, const Deadline& deadline) override;

  Result<json::object> resolve(const StackSpec& stack, const Deadline& deadline) override {
    return driver_->resolve(stack, deadline);
  }
  Status pull(const ResolvedStack& stack, const std::vector<std::string>& services, const Deadline& deadline) override {
    return driver_->pull(stack, services, deadline);
  }
  Status build(const ResolvedStack& stack, const std::vector<std::string>& services, const BuildOptions& options,
               const Deadline& deadline) override {
    return driver_->build(stack, services, options, deadline);
  }
  Status down(const std::string& stack, const DownOptions& options, const Deadline& deadline) override {
    return driver_->down(stack, options, deadline);
  }
  std::string version() const override { return driver_->version(); }
  Status check(const Deadline& deadline) override { return driver_->check(deadline); }

 private:
  Status send_helper(const HandoverNote& note, const ResolvedStack& stack, const UpOptions& options,
                     const Deadline& deadline);
  Status wait_for(const HandoverNote& note, const Deadline& deadline);
  Status wait_until_done(const HandoverNote& note, const Deadline& deadline);
  Status end_of(const HandoverNote& note, const Handover::End& end);
  Result<bool> is_at_work(const HandoverNote& note, const Deadline& deadline);
  // Ours, in any state. Their environment holds our secrets: none is left behind.
  Result<std::vector<ContainerSummary>> helpers(const Deadline& deadline);
  Status remove_helper(const std::string& name, const Deadline& deadline);
  Status remove_idle_helpers(const Deadline& deadline);
  Status remove_helpers(const std::function<bool(const ContainerSummary&)>& which, const Deadline& deadline);

  Options options_;
  std::unique_ptr<Driver> driver_;
  Engine& engine_;
  Handover handover_;
  Log log_;
  std::string host_data_dir_;
  std::mutex mutex_;  // one order at a time
  std::atomic<bool> is_waiting_ = false;
  std::string told_of_;  // id of the order whose end has been told already, guarded by mutex_
};

}  // namespace windlass
