#include "sys/curl_transport.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/text.h"
#include "sys/address.h"
#include "sys/curl_handle.h"
#include "sys/process.h"

namespace windlass {
namespace {

constexpr const char* kSystemFolder = "/etc/ssl/certs";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// The one that libcurl was built for.
std::string system_bundle() {
  const auto* file = ::curl_version_info(CURLVERSION_NOW)->cainfo;
  return file ? file : "";
}

// Requests share connections only if all that decides about the connection is the same.
std::string key_of(const HttpRequest& request, const CurlHandle::Peer& peer) {
  const auto& tls = request.tls;
  if (request.through) return fmt::format("{} {}", request.through->program, join(request.through->arguments, " "));
  return fmt::format("{}\n{}\n{}\n{}\n{}{}{}\n{}\n{}\n{}", request.unix_socket, peer.url.scheme, peer.url.host_port(),
                     peer.proxy, request.refuse_private_addresses, request.may_be_link_local, tls.verify, tls.ca_file,
                     tls.client_cert_file, tls.client_key_file);
}

// Through a proxy nobody here sees the address that is connected to: what can be judged is a literal one in the URL.
Status check_through_proxy(const HttpRequest& request, const Url& url) {
  const auto scope = scope_of_literal(url.host);
  if (scope == AddressScope::link_local) return fail(Kind::denied, "link-local address refused");
  if (request.refuse_private_addresses && scope && *scope != AddressScope::open)
    return fail(Kind::denied, "private address refused");
  return {};
}

}  // namespace

CurlTransport::Options CurlTransport::options_from_environment() {
  return {.proxy = ProxySettings::from_environment(),
          .roots = find_trusted_roots({.file = environment("SSL_CERT_FILE"), .folders = environment("SSL_CERT_DIR")},
                                      {.file = system_bundle(), .folders = kSystemFolder})};
}

CurlTransport::CurlTransport(Options options) : options_(std::move(options)) { curl_global_init(CURL_GLOBAL_DEFAULT); }

CurlTransport::~CurlTransport() {
  idle_.clear();
  curl_global_cleanup();
}

std::unique_ptr<CurlHandle> CurlTransport::take(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto last =
      std::find_if(idle_.rbegin(), idle_.rend(), [&](const auto& handle) { return handle->key() == key; });
  if (last == idle_.rend()) return std::make_unique<CurlHandle>(key);
  auto handle = std::move(*last);
  idle_.erase(std::next(last).base());
  return handle;
}

void CurlTransport::give_back(std::unique_ptr<CurlHandle> handle) {
  std::unique_ptr<CurlHandle> dropped;  // declared before the lock, so closed after it
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(handle));
  if (idle_.size() <= options_.idle_handles_max) return;
  dropped = std::move(idle_.front());
  idle_.erase(idle_.begin());
}

Result<HttpResponse> CurlTransport::send(const HttpRequest& request, const Deadline& deadline) {
  return stream(request, nullptr, nullptr, deadline);
}

Result<HttpResponse> CurlTransport::stream(const HttpRequest& request, const HeadCheck& wants, const BodySink& sink,
                                           const Deadline& deadline) {
  auto url = parse_url(request.url);
  if (!url) return while_doing(request.method, url.error());
  const bool may_use_proxy = request.use_proxy && request.unix_socket.empty() && !request.through;
  const CurlHandle::Peer peer{*url, may_use_proxy ? options_.proxy.proxy_for(*url) : ""};
  if (!peer.proxy.empty())
    if (auto allowed = check_through_proxy(request, *url); !allowed)
      return while_doing(fmt::format("{} {}", request.method, url->shown()), allowed.error());
  auto handle = take(key_of(request, peer));
  auto response = handle->run(request, peer, options_, wants, sink, deadline);
  give_back(std::move(handle));
  if (!response) return while_doing(fmt::format("{} {}", request.method, url->shown()), response.error());
  return response;
}

}  // namespace windlass
