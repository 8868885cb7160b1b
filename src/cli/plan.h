// `windlass plan`: what deploying an artifact would do, asked from the running service (api/L3b, E50). Nothing is
// changed.
#pragma once

#include <string>

#include "cli/api_client.h"
#include "config/settings.h"
#include "sys/http_client.h"

namespace windlass {

struct PlanCommand {
  ApiOptions api;
  std::string reference;  // of an artifact; or a folder that may become one:
  std::string as;         // then of that artifact
  std::string target;
};

// The exit code: 0 when there is a plan, 1 when the service has none or does not answer, 2 for wrong usage.
int show_plan(const PlanCommand& command, const Environment& environment, HttpTransport& transport);

}  // namespace windlass
