// HTTP out by libcurl: the HttpTransport of the service.
//
// Every call runs on the caller's thread with a libcurl handle of its own; handles are kept for the next request to the
// same peer, and with them their open connections. Nothing is followed, decoded or added behind the caller's back.
//
// The process must ignore SIGPIPE.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "sys/http_client.h"
#include "sys/proxy.h"
#include "sys/trusted_roots.h"

namespace windlass {

class CurlHandle;

class CurlTransport final : public HttpTransport {
 public:
  struct Options {
    std::string user_agent = "windlass";
    ProxySettings proxy;
    TrustedRoots roots;
    std::size_t idle_handles_max = 8;
  };
  // Proxies by http_proxy and its kin; roots by SSL_CERT_FILE and SSL_CERT_DIR, else those of the system.
  static Options options_from_environment();

  explicit CurlTransport(Options options);
  CurlTransport() : CurlTransport(options_from_environment()) {}
  ~CurlTransport() override;

  // What could not be read of the trusted roots.
  const std::vector<std::string>& complaints() const { return options_.roots.complaints; }

  Result<HttpResponse> send(const HttpRequest& request, const Deadline& deadline) override;
  Result<HttpResponse> stream(const HttpRequest& request, const HeadCheck& wants, const BodySink& sink,
                              const Deadline& deadline) override;

 private:
  std::unique_ptr<CurlHandle> take(const std::string& key);
  void give_back(std::unique_ptr<CurlHandle> handle);

  Options options_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<CurlHandle>> idle_;  // the longest unused first
};

}  // namespace windlass
