// HTTP in: one thread, one port, HTTP/1.1 with limits on everything (webhook 2, reliability 2 and 6).
//
// The handler gets a whole request and answers now or later, from any thread. A connection that goes away never
// cancels the work behind it. Requests that break the rules of HTTP are answered here and closed.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/log.h"
#include "base/result.h"
#include "sys/server_request.h"
#include "sys/tls_identity.h"

namespace windlass {

// Answers one request; called once, from any thread. Dropping it unanswered answers 500.
using Responder = std::function<void(ServerResponse)>;

class HttpServer {
 public:
  struct Options {
    std::uint16_t port = 80;         // 0: any free one
    std::string address = "::";      // both families; falls back to 0.0.0.0 where there is no IPv6
    std::optional<TlsIdentity> tls;  // with one it speaks HTTPS
    std::uint64_t body_bytes_max = 1 << 20;
    std::chrono::milliseconds header_timeout{3'000};        // webhook/T1
    std::chrono::milliseconds request_timeout{30'000};      // T2
    std::chrono::milliseconds body_idle_timeout{4'000};     // T2
    std::chrono::milliseconds keep_alive_timeout{120'000};  // T3
    std::chrono::milliseconds flush_timeout{30'000};        // T4
    std::size_t connections_max = 16'384;
    // Bytes held for all incomplete requests together; at least four times body_bytes_max. Above it the oldest
    // incomplete request is cut. Above connections_max: the oldest connection without a complete header, else the
    // oldest incomplete request, else the client that has been slowest to take its answer.
    std::uint64_t unfinished_bytes_max = 64 << 20;
  };
  using Handler = std::function<void(ServerRequest, Responder)>;

  // Binds and listens; requests are served once run() is called. Errors name address and port.
  static Result<std::unique_ptr<HttpServer>> listen(Options options, Handler handler, Log log);
  virtual ~HttpServer() = default;

  virtual std::uint16_t port() const = 0;
  // Serves until stop(); the handler runs on this thread and must not block.
  virtual void run() = 0;
  // Closes the listener; open requests get `grace` to be answered, then run() returns. From any thread.
  virtual void stop(std::chrono::milliseconds grace) = 0;

  // Runs `task` on the server's thread, between two requests; not at all if run() ends before. From any thread.
  virtual void post(std::function<void()> task) = 0;
  // Shown to whoever connects from now on; open connections go on. On the server's thread, of a server with HTTPS.
  virtual void use(const TlsIdentity& identity) = 0;
};

}  // namespace windlass
