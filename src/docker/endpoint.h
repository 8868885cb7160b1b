// Where an engine listens, from DOCKER_HOST.
#pragma once

#include <string>

#include "base/result.h"
#include "docker/engine.h"
#include "sys/http_client.h"

namespace windlass {

struct Endpoint {
  std::string host;         // as DOCKER_HOST has it, for messages
  std::string base_url;     // "http://docker", "https://10.0.0.5:2376"
  std::string unix_socket;  // empty: TCP
  TlsOptions tls;
};

// Kind::invalid "unsupported DOCKER_HOST scheme: <value>" for other schemes than unix:// and tcp:// (api/E43).
Result<Endpoint> parse_endpoint(const EngineOptions& options);

}  // namespace windlass
