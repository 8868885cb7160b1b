// `windlass healthcheck`: asks the service on this machine (api/L2). Reads port and TLS settings only, so that a wrong
// setting elsewhere does not make a container look sick.
#pragma once

#include "base/log.h"
#include "config/settings.h"
#include "sys/http_client.h"

namespace windlass {

// The exit code: 0 when GET /v1/health answers 200 within 5 s, else 1. Logs the outcome.
int healthcheck(const Environment& environment, HttpTransport& transport, const Log& log);

}  // namespace windlass
