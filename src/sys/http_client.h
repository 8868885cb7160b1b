// HTTP out: one request at a time per call, many calls at once from many threads, connections kept alive and reused.
//
// The seam to the outside: tests put a FakeTransport here. The real one is libcurl (sys/curl_transport.h). Redirects
// are never followed here: who may be asked next is the caller's decision (oci 3.3, reliability/P20).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "sys/address.h"

namespace windlass {

struct HttpHeader {
  std::string name;
  std::string value;
};

// Equal but for the case of ASCII letters, as field names are compared.
bool same_name(std::string_view a, std::string_view b);

struct Command;  // sys/process.h

// TLS of one request; the defaults verify against the system's trust store (SSL_CERT_FILE, SSL_CERT_DIR honoured).
struct TlsOptions {
  bool verify = true;
  std::string ca_file;
  std::string client_cert_file;
  std::string client_key_file;
};

// A body that is too large for memory, read piece by piece: again from its start when the request is sent again.
struct UploadBody {
  std::uint64_t size_bytes = 0;
  // At most `out_bytes` of it from `offset` on; 0 at the end only. Without it there is no such body.
  std::function<Result<std::size_t>(std::uint64_t offset, char* out, std::size_t out_bytes)> read;
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;                  // http or https; with a unix_socket the host is only the Host header
  std::vector<HttpHeader> headers;  // as given; no header is added but Host, User-Agent and Accept: */*
  std::string body;
  UploadBody upload;        // instead of `body`
  std::string unix_socket;  // path of a stream socket to speak to, empty: TCP
  // A child process whose standard input and output are the connection, in place of a socket; null: none. The url is
  // then under http://127.0.0.1. Connections are reused by program and arguments, so the arguments stay in memory.
  std::shared_ptr<const Command> through;
  TlsOptions tls;
  bool refuse_private_addresses = false;  // connect only to public addresses, checked on the connected socket
  bool may_be_link_local = false;  // else such an address is always refused: services of clouds hand out keys there
  bool use_proxy = true;           // the standard environment variables
  std::chrono::milliseconds connect_timeout{10'000};  // dial and TLS each (oci 3.4)
  std::chrono::milliseconds header_timeout{30'000};   // from the last byte sent to the answer's headers
  std::chrono::milliseconds idle_timeout{30'000};     // without a new body byte
  std::uint64_t body_bytes_max = 4u << 20;            // of an answer kept in memory; more is Kind::invalid
  // A lower limit for an answer with status 400 or above, and for one that a stream's HeadCheck declines. What is over
  // it is not read, and that is no error: status and headers say enough.
  std::uint64_t error_body_bytes_max = std::numeric_limits<std::uint64_t>::max();
};

struct HttpResponse {
  int status = 0;
  std::vector<HttpHeader> headers;
  std::string body;  // empty when it went to a sink
  // Where the connection led that brought it; nothing: to a proxy, a unix socket or a child. A HeadCheck has none yet.
  std::optional<AddressScope> peer = std::nullopt;

  // The first header of that name, any letter case; "" if there is none.
  std::string_view header(std::string_view name) const;
};

// Takes the body of an answer piece by piece. An error ends the transfer and becomes the result of the call.
using BodySink = std::function<Status(std::string_view)>;
// Decides by status and headers whether the body goes to the sink (true) or is kept in memory (false).
using HeadCheck = std::function<bool(const HttpResponse&)>;

struct HttpTransport {
  virtual ~HttpTransport() = default;

  // Any status is a good result. Errors: Kind::unavailable (connect, DNS, TLS handshake cut, timeout, reset, deadline
  // or stop), Kind::denied (certificate not trusted, private address refused), Kind::invalid (answer over a limit, not
  // HTTP). The message names method, URL without query and cause.
  virtual Result<HttpResponse> send(const HttpRequest& request, const Deadline& deadline) = 0;

  // As send(), but the body goes to `sink` when `wants` says so.
  virtual Result<HttpResponse> stream(const HttpRequest& request, const HeadCheck& wants, const BodySink& sink,
                                      const Deadline& deadline) = 0;
};

}  // namespace windlass
