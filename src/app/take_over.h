// What the helper does while the container of windlass may be made anew (deploy/U2): `windlass take-over`, started by
// windlass alone.
//
// It brings the stack up, waits until the new process says that it works, tells the result and removes itself. If no
// new process comes, or one that does not answer as windlass does, it makes the old container again from what the
// engine had said of it: a deployer that is gone could not be repaired by a push. It may be killed and started again at
// any point.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/log.h"
#include "config/settings.h"
#include "docker/engine.h"
#include "driver/driver.h"
#include "driver/handover.h"

namespace windlass {

class TakeOver {
 public:
  struct Options {
    std::string program = "windlass";  // of this process; the new one is asked with it
    std::chrono::milliseconds look_again = std::chrono::milliseconds(200);
    std::chrono::milliseconds try_again = std::chrono::seconds(1);  // after the engine refused something
  };
  TakeOver(Options options, Engine& engine, Driver& driver, const Handover& handover, Log log)
      : options_(options), engine_(engine), driver_(driver), handover_(handover), log_(std::move(log)) {}

  // To the end of the order; the result is told by then. An error: it could not be told, and is to be tried again.
  Status run(const HandoverOrder& order);

 private:
  Status bring_up(const HandoverOrder& order);
  bool is_replaced(const HandoverOrder& order);
  Status wait_for_new_process(const HandoverOrder& order);
  std::optional<Status> look_for_new_process(const HandoverOrder& order, bool is_taken, std::string& seen,
                                             const Deadline& deadline);
  Status answers(const ContainerSummary& container, const Deadline& deadline);
  Status bring_back(const HandoverOrder& order);
  Status make_again(const HandoverOrder& order, const Deadline& deadline);
  Result<std::vector<ContainerSummary>> own_containers(const HandoverOrder& order, const Deadline& deadline);

  Options options_;
  Engine& engine_;
  Driver& driver_;
  const Handover& handover_;
  Log log_;
};

// The command: reads its order by the environment. The exit code of the process.
int take_over(const Environment& environment);

}  // namespace windlass
