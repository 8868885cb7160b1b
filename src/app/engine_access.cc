#include "app/engine_access.h"

namespace windlass {
namespace {

Environment compose_environment(const Settings& settings, Environment environment) {
  environment["DOCKER_HOST"] = engine_options(settings).docker_host;
  environment.erase("DOCKER_CONTEXT");
  return environment;
}

Environment context_environment(const std::string& context, Environment environment) {
  for (const auto* name : {"DOCKER_HOST", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"})
    environment.erase(name);
  environment["DOCKER_CONTEXT"] = context;
  return environment;
}

}  // namespace

EngineOptions engine_options(const Settings& settings) {
  EngineOptions options{.tls_dir = settings.docker_cert_path,
                        .tls_verify = settings.docker_tls_verify,
                        .api_version = settings.docker_api_version};
  if (!settings.docker_host.empty()) options.docker_host = settings.docker_host;
  return options;
}

ComposeOptions compose_options(const Settings& settings, Environment environment, const std::string& context) {
  return {.environment = context.empty() ? compose_environment(settings, std::move(environment))
                                         : context_environment(context, std::move(environment)),
          .insecure_registries = settings.oci_insecure_registries,
          .providers = settings.allow_provider_services,
          .quiet = settings.docker_quiet_deploy};
}

}  // namespace windlass
