// The two ports of the service.
#pragma once

#include <memory>
#include <optional>

#include "base/log.h"
#include "base/result.h"
#include "config/settings.h"
#include "sys/http_server.h"
#include "sys/tls_identity.h"

namespace windlass {

// Nothing without HTTP_TLS_CERT_FILE; errors name the settings.
Result<std::optional<TlsIdentity>> tls_identity_of(const Settings& settings);

struct Listeners {
  std::unique_ptr<HttpServer> service, metrics;

  // Binds HTTP_PORT and METRICS_PORT, for handlers that may be called once run() is. Errors name the setting.
  static Result<Listeners> open(const Settings& settings, const std::optional<TlsIdentity>& tls,
                                HttpServer::Handler service, HttpServer::Handler metrics, const Log& log);
};

}  // namespace windlass
