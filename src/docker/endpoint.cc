#include "docker/endpoint.h"

#include <fmt/format.h>

#include "base/text.h"

namespace windlass {

Result<Endpoint> parse_endpoint(const EngineOptions& options) {
  constexpr std::string_view unix_scheme = "unix://";
  constexpr std::string_view tcp_scheme = "tcp://";
  const std::string_view host = options.docker_host;
  Endpoint endpoint{.host = printable(host, 256)};
  if (host.starts_with(unix_scheme)) {
    endpoint.base_url = "http://docker";
    endpoint.unix_socket = host.substr(unix_scheme.size());
    if (!endpoint.unix_socket.starts_with('/'))
      return fail(Kind::invalid, fmt::format("DOCKER_HOST '{}' has no absolute path after unix://", endpoint.host));
    return endpoint;
  }
  if (!host.starts_with(tcp_scheme))
    return fail(Kind::invalid, fmt::format("unsupported DOCKER_HOST scheme: {}", endpoint.host));
  auto address = host.substr(tcp_scheme.size());
  while (address.ends_with('/')) address.remove_suffix(1);
  if (address.empty() || address.find_first_of("/?#@ ") != address.npos)
    return fail(Kind::invalid, fmt::format("DOCKER_HOST '{}' must be tcp://<host>:<port>", endpoint.host));
  // As the docker command has it: any TLS variable means TLS, and the certificates come from one folder.
  const bool tls = options.tls_verify || !options.tls_dir.empty();
  const bool has_port = address.rfind(':') != address.npos && address.find(']', address.rfind(':')) == address.npos;
  endpoint.base_url =
      fmt::format("{}://{}{}", tls ? "https" : "http", address, has_port ? "" : (tls ? ":2376" : ":2375"));
  if (tls) endpoint.tls.verify = options.tls_verify;
  if (!options.tls_dir.empty()) {
    endpoint.tls.ca_file = options.tls_dir + "/ca.pem";
    endpoint.tls.client_cert_file = options.tls_dir + "/cert.pem";
    endpoint.tls.client_key_file = options.tls_dir + "/key.pem";
  }
  return endpoint;
}

}  // namespace windlass
