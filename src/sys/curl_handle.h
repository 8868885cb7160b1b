// One libcurl handle with its connections, and one request at a time on it.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>

#include "sys/child_connections.h"
#include "sys/curl_transport.h"

namespace windlass {

class CurlHandle {
 public:
  // `key` says which requests may share the connections of this handle.
  explicit CurlHandle(std::string key);
  const std::string& key() const { return key_; }

  struct Peer {
    Url url;
    std::string proxy;  // "" for a direct connection
  };
  Result<HttpResponse> run(const HttpRequest& request, const Peer& peer, const CurlTransport::Options& options,
                           const HeadCheck& wants, const BodySink& sink, const Deadline& deadline);

 private:
  struct FreeMulti {
    void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
  };
  struct FreeEasy {
    void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
  };

  std::string key_;
  ChildConnections connections_;             // outlives those that `multi_` holds: it closes them
  std::unique_ptr<CURLM, FreeMulti> multi_;  // holds the connections
  std::unique_ptr<CURL, FreeEasy> easy_;
};

}  // namespace windlass
