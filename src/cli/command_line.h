// The command line: which of windlass's commands is meant (api 8).
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "cli/operate.h"
#include "cli/plan.h"
#include "cli/push.h"
#include "cli/send.h"
#include "cli/validate.h"
#include "cli/verify.h"
#include "cli/verify_bundle.h"

namespace windlass {

struct ServeCommand {  // also without any argument
  bool rebuild_state = false;
};
struct HealthcheckCommand {};
struct TakeOverCommand {};  // of windlass itself (deploy/U2)
// Nothing to run: print and leave. 0 for --help and --version on standard output, 2 for wrong usage on standard error
// (api/L3, L5).
struct PrintCommand {
  int exit_code = 0;
  std::string text;
};
using CommandLine = std::variant<ServeCommand, HealthcheckCommand, TakeOverCommand, PushCommand, SendCommand,
                                 VerifyCommand, VerifyBundleCommand, RunsCommand, HistoryCommand, StatusCommand,
                                 RollbackCommand, PlanCommand, ValidateCommand, PrintCommand>;

CommandLine parse_command_line(const std::vector<std::string>& arguments);

}  // namespace windlass
