// How engines and compose are spoken to: by the service, and by the helper that works in its place (take_over.h).
#pragma once

#include <string>

#include "config/settings.h"
#include "docker/engine.h"
#include "driver/compose_driver.h"

namespace windlass {

// Of the default engine.
EngineOptions engine_options(const Settings& settings);

// Compose is told the engine that we ask, whatever context is selected; for a stack with a context that one, whatever
// DOCKER_HOST says (deploy/Y3). `environment`: of this process. `context`: "" for the default engine.
ComposeOptions compose_options(const Settings& settings, Environment environment, const std::string& context);

}  // namespace windlass
