#include "app/listeners.h"

#include "app/open_files.h"

namespace windlass {
namespace {

constexpr std::size_t kScrapersMax = 64;

}  // namespace

Result<std::optional<TlsIdentity>> tls_identity_of(const Settings& settings) {
  if (settings.http_tls_cert_file.empty()) return std::optional<TlsIdentity>();
  auto identity = TlsIdentity::load(settings.http_tls_cert_file, settings.http_tls_key_file);
  if (!identity) return while_doing("HTTP_TLS_CERT_FILE, HTTP_TLS_KEY_FILE", identity.error());
  return std::optional(*std::move(identity));
}

Result<Listeners> Listeners::open(const Settings& settings, const std::optional<TlsIdentity>& tls,
                                  HttpServer::Handler service, HttpServer::Handler metrics, const Log& log) {
  auto server = HttpServer::listen({.port = settings.http_port,
                                    .tls = tls,
                                    .body_bytes_max = settings.max_payload_size,
                                    .connections_max = connections_within(raise_open_files(), tls.has_value())},
                                   std::move(service), log);
  if (!server) return while_doing("HTTP_PORT", server.error());
  // On a thread of its own, which may wait for the engine.
  auto metrics_server = HttpServer::listen(
      {.port = settings.metrics_port, .tls = tls, .body_bytes_max = 1024, .connections_max = kScrapersMax},
      std::move(metrics), log);
  if (!metrics_server) return while_doing("METRICS_PORT", metrics_server.error());
  return Listeners{.service = *std::move(server), .metrics = *std::move(metrics_server)};
}

}  // namespace windlass
