#include "app/engine_access.h"

#include <filesystem>

#include "docker/endpoint.h"

namespace windlass {
namespace {

Environment environment_of(Environment environment, const DockerContext& context) {
  for (const auto* name : {"DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"})
    environment.erase(name);
  const bool has_tls = speaks_tls(context);
  if (has_tls && context.ca_file.empty()) {  // by its variables the docker command insists on one
    environment["DOCKER_CONTEXT"] = context.name;
    return environment;
  }
  environment["DOCKER_HOST"] = context.host;
  if (!has_tls) return environment;
  environment["DOCKER_CERT_PATH"] = std::filesystem::path(context.ca_file).parent_path().string();
  environment.emplace(context.skip_tls_verify ? "DOCKER_TLS" : "DOCKER_TLS_VERIFY", "1");
  return environment;
}

ComposeOptions options_with(const Settings& settings, Environment environment) {
  return {.environment = std::move(environment),
          .insecure_registries = settings.oci_insecure_registries,
          .providers = settings.allow_provider_services,
          .quiet = settings.docker_quiet_deploy};
}

}  // namespace

EngineOptions engine_options(const Settings& settings) {
  EngineOptions options{.tls_dir = settings.docker_cert_path,
                        .tls_verify = settings.docker_tls_verify,
                        .api_version = settings.docker_api_version};
  if (!settings.docker_host.empty()) options.docker_host = settings.docker_host;
  return options;
}

ComposeOptions compose_options(const Settings& settings, Environment environment) {
  environment["DOCKER_HOST"] = engine_options(settings).docker_host;
  environment.erase("DOCKER_CONTEXT");
  return options_with(settings, std::move(environment));
}

ComposeOptions compose_options(const Settings& settings, Environment environment, const DockerContext& context) {
  return options_with(settings, environment_of(std::move(environment), context));
}

}  // namespace windlass
