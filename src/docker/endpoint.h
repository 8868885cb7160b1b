// Where an engine listens, from DOCKER_HOST or a Docker context.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "docker/context.h"
#include "docker/engine.h"
#include "sys/http_client.h"

namespace windlass {

struct Endpoint {
  std::string host;         // as it was written, and of which context, for messages
  std::string base_url;     // "http://docker", "https://10.0.0.5:2376"
  std::string unix_socket;  // empty: TCP
  TlsOptions tls;
  std::shared_ptr<const Command> through;  // instead of both: a child (ssh.h)
};

// Kind::invalid "unsupported DOCKER_HOST scheme: <value>" for other schemes than unix:// and tcp:// (api/E43).
Result<Endpoint> parse_endpoint(const EngineOptions& options);

// As the docker command has it: a context with a certificate of its own, or one that says not to verify, where there is
// a choice.
bool speaks_tls(const DockerContext& context);

// `environment`: of this process, for ssh. Kind::invalid, naming the context, for other schemes than unix://,
// tcp:// and ssh://.
Result<Endpoint> endpoint_of(const DockerContext& context, const std::map<std::string, std::string>& environment);

}  // namespace windlass
