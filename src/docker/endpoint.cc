#include "docker/endpoint.h"

#include <fmt/format.h>

#include "base/text.h"
#include "docker/ssh.h"

namespace windlass {
namespace {

constexpr std::string_view kUnix = "unix://";
constexpr std::string_view kTcp = "tcp://";
constexpr std::string_view kSsh = "ssh://";

// For messages: a user may have a password beside it.
std::string shown(std::string_view host) {
  const auto user_end = host.find('@');
  if (user_end == host.npos) return printable(host, 256);
  const auto scheme_end = host.substr(0, user_end).find("://");
  return scheme_end == host.npos ? "(user)@…" : printable(host.substr(0, scheme_end), 32) + "://(user)@…";
}

// `subject`: who names the host, for messages.
Result<Endpoint> unix_endpoint(std::string_view subject, std::string_view host) {
  Endpoint endpoint{.host = printable(host, 256), .base_url = "http://docker"};
  endpoint.unix_socket = host.substr(kUnix.size());
  if (!endpoint.unix_socket.starts_with('/'))
    return fail(Kind::invalid, fmt::format("{} '{}' has no absolute path after unix://", subject, shown(host)));
  return endpoint;
}

Result<Endpoint> tcp_endpoint(std::string_view subject, std::string_view host, bool has_tls) {
  Endpoint endpoint{.host = printable(host, 256)};
  auto address = host.substr(kTcp.size());
  while (address.ends_with('/')) address.remove_suffix(1);
  if (address.empty() || address.find_first_of("/?#@ ") != address.npos)
    return fail(Kind::invalid, fmt::format("{} '{}' must be tcp://<host>:<port>", subject, shown(host)));
  const bool has_port = address.rfind(':') != address.npos && address.find(']', address.rfind(':')) == address.npos;
  endpoint.base_url =
      fmt::format("{}://{}{}", has_tls ? "https" : "http", address, has_port ? "" : (has_tls ? ":2376" : ":2375"));
  return endpoint;
}

Result<Endpoint> ssh_endpoint(std::string_view subject, std::string_view host,
                              const std::map<std::string, std::string>& environment) {
  auto command = dial_stdio_command(host, environment);
  if (!command) return fail(Kind::invalid, fmt::format("{} '{}' {}", subject, shown(host), command.error().message));
  return Endpoint{.host = printable(host, 256),
                  .base_url = "http://127.0.0.1",
                  .unix_socket = {},
                  .tls = {},
                  .through = std::make_shared<const Command>(*std::move(command))};
}

}  // namespace

Result<Endpoint> parse_endpoint(const EngineOptions& options) {
  const std::string_view host = options.docker_host;
  if (host.starts_with(kUnix)) return unix_endpoint("DOCKER_HOST", host);
  if (!host.starts_with(kTcp))
    return fail(
        Kind::invalid,
        fmt::format("unsupported DOCKER_HOST scheme: {}: write unix:///<path> or tcp://<host>:<port>", shown(host)));
  // As the docker command has it: any TLS variable means TLS, and the certificates come from one folder.
  const bool has_tls = options.tls_verify || !options.tls_dir.empty();
  auto endpoint = tcp_endpoint("DOCKER_HOST", host, has_tls);
  if (!endpoint) return endpoint;
  if (has_tls) endpoint->tls.verify = options.tls_verify;
  if (!options.tls_dir.empty()) {
    endpoint->tls.ca_file = options.tls_dir + "/ca.pem";
    endpoint->tls.client_cert_file = options.tls_dir + "/cert.pem";
    endpoint->tls.client_key_file = options.tls_dir + "/key.pem";
  }
  return endpoint;
}

bool speaks_tls(const DockerContext& context) {
  return context.host.starts_with(kTcp) &&
         (context.skip_tls_verify || !context.ca_file.empty() || !context.cert_file.empty());
}

Result<Endpoint> endpoint_of(const DockerContext& context, const std::map<std::string, std::string>& environment) {
  const auto subject = fmt::format("docker context {}: its host", context.name);
  const std::string_view host = context.host;
  Result<Endpoint> endpoint =
      fail(Kind::invalid, fmt::format("{} '{}' is none that windlass can speak to", subject, shown(host)));
  if (host.starts_with(kUnix)) endpoint = unix_endpoint(subject, host);
  if (host.starts_with(kTcp)) endpoint = tcp_endpoint(subject, host, speaks_tls(context));
  if (host.starts_with(kSsh)) endpoint = ssh_endpoint(subject, host, environment);
  if (!endpoint) return endpoint;
  endpoint->host += fmt::format(" (context {})", context.name);
  endpoint->tls = {.verify = !context.skip_tls_verify,
                   .ca_file = context.ca_file,
                   .client_cert_file = context.cert_file,
                   .client_key_file = context.key_file};
  return endpoint;
}

}  // namespace windlass
