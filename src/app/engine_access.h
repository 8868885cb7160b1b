// How engines and compose are spoken to: by the service, and by the helper that works in its place (take_over.h).
#pragma once

#include "config/settings.h"
#include "docker/context.h"
#include "docker/engine.h"
#include "driver/compose_driver.h"

namespace windlass {

// Of the default engine.
EngineOptions engine_options(const Settings& settings);

// Compose is told the engine that we ask, whatever context is selected (deploy/Y3). `environment`: of this process.
ComposeOptions compose_options(const Settings& settings, Environment environment);

// The same for the engine of a Docker context, whatever DOCKER_HOST says. As it is now, however the context's files
// change: by its host, so that compose and we speak to one engine. One with TLS but no CA of its own can only be told
// by its name.
ComposeOptions compose_options(const Settings& settings, Environment environment, const DockerContext& context);

}  // namespace windlass
