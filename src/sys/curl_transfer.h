// One request on a libcurl handle: its options, how long each phase may last, and what comes back.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sys/child_connections.h"
#include "sys/curl_handle.h"

namespace windlass {

// One request and what has come of it so far; the callbacks of libcurl write into it.
class CurlTransfer {
 public:
  CurlTransfer(CURL* easy, ChildConnections& connections, const HttpRequest& request, const HeadCheck& wants,
               const BodySink& sink)
      : easy_(easy), connections_(connections), request_(request), wants_(wants), sink_(sink) {}

  void set_options(const CurlHandle::Peer& peer, const CurlTransport::Options& options);
  Status set_headers(const CurlTransport::Options& options);
  // The error of a phase that lasts too long; otherwise how long it may still take.
  Result<std::chrono::milliseconds> patience() const;
  Result<HttpResponse> result(CURLcode code);

 private:
  struct FreeList {
    void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
  };
  using TimePoint = std::chrono::steady_clock::time_point;
  // What is waited for, since when, for how long at most.
  struct Phase {
    TimePoint since;
    std::chrono::milliseconds span;
    std::string_view complaint;
  };
  Phase phase() const;
  template <class Value>
  void set(CURLoption option, Value value) {
    curl_easy_setopt(easy_, option, value);
  }
  void set_tls(const CurlTransport::Options& options);
  void add_roots(void* tls_context) const;
  void set_child();
  void set_method();
  void set_upload();
  bool stop_with(Error error) {
    if (!error_) error_ = std::move(error);
    return false;
  }
  bool take_head_line(std::string_view line);
  bool take_body(std::string_view bytes);
  std::size_t give_body(char* out, std::size_t out_bytes);
  curl_socket_t open_socket(curl_sockaddr& address);
  curl_socket_t open_child_socket(curl_sockaddr& address);
  bool begin_request();
  std::string cause(CURLcode code) const;
  std::optional<AddressScope> peer_scope() const;

  CURL* easy_;
  ChildConnections& connections_;
  const HttpRequest& request_;
  const HeadCheck& wants_;
  const BodySink& sink_;
  const std::vector<std::shared_ptr<x509_st>>* more_roots_ = nullptr;  // beside those that libcurl finds
  std::unique_ptr<curl_slist, FreeList> headers_;
  char curl_message_[CURL_ERROR_SIZE] = "";

  TimePoint began_ = std::chrono::steady_clock::now();
  std::optional<TimePoint> handshake_began_;
  std::optional<TimePoint> sent_;      // when the request began to go out, then the latest bytes of an upload
  std::optional<TimePoint> received_;  // when the head was complete, then the latest body bytes, once they were taken
  HttpResponse response_;
  std::size_t head_bytes_ = 0;
  std::uint64_t uploaded_bytes_ = 0;
  bool head_is_done_ = false, goes_to_sink_ = false;
  bool has_enough_ = false;             // of a body that may be cut: the rest is not read
  bool is_proxied_ = false;             // the socket is the proxy's, wherever that stands
  bool has_tls_proxy_ = false;          // its handshake comes first, and libcurl does not say whose failed
  std::optional<Error> error_;          // ours: comes before libcurl's
  std::optional<std::string> refusal_;  // of an address; counts if no other address could be connected to
};

}  // namespace windlass
