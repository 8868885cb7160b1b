// What the tests of the HTTP server share: a server on a free port with short limits, and a client that breaks rules.
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "sys/http_server.h"

namespace windlass {

using namespace std::chrono_literals;

// A client that sends exactly the bytes it is told to.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { ::close(socket_); }

  bool connected() const { return connected_; }
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  void end_sending() { ::shutdown(socket_, SHUT_WR); }
  // Vanishes without a goodbye: the server's next write fails.
  void reset() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ::close(std::exchange(socket_, -1));
  }

  // True if the server ends the connection without a byte; a silent one that stays open is false.
  bool is_ended() {
    pollfd readable{.fd = socket_, .events = POLLIN, .revents = 0};
    char byte = 0;
    return ::poll(&readable, 1, 5000) == 1 && ::recv(socket_, &byte, 1, 0) <= 0;
  }

  // What comes until the server closes.
  std::string read_all() {
    while (read_more()) {
    }
    return std::exchange(received_, "");
  }
  // What comes until `mark` has come.
  std::string read_until(std::string_view mark) {
    while (received_.find(mark) == std::string::npos)
      if (!read_more()) return std::exchange(received_, "");
    const auto end = received_.find(mark) + mark.size();
    auto text = received_.substr(0, end);
    received_.erase(0, end);
    return text;
  }

 private:
  bool read_more() {
    pollfd readable{.fd = socket_, .events = POLLIN, .revents = 0};
    char bytes[4096];
    if (::poll(&readable, 1, 5000) != 1) return false;
    const auto count = ::recv(socket_, bytes, sizeof bytes, 0);
    if (count <= 0) return false;
    received_.append(bytes, static_cast<std::size_t>(count));
    return true;
  }

  int socket_;
  bool connected_ = false;
  std::string received_;
};

inline std::string fault_name(BodyFault fault) {
  switch (fault) {
    case BodyFault::none:
      return "none";
    case BodyFault::too_large:
      return "too_large";
    case BodyFault::cut_off:
      return "cut_off";
    case BodyFault::timed_out:
      return "timed_out";
  }
  return "?";
}

// Says what it was asked; the body of the answer ends with ";".
inline void echo(ServerRequest request, Responder respond) {
  respond({.status = request.body_fault == BodyFault::none ? 200 : 413,
           .content_type = "text/plain",
           .body = request.method + " " + request.path + " [" + request.body + "] " + fault_name(request.body_fault) +
                   ";"});
}

class RunningServer {
 public:
  explicit RunningServer(HttpServer::Handler handler = echo, HttpServer::Options options = quick()) {
    auto listening = HttpServer::listen(std::move(options), std::move(handler), Log({.level = LogLevel::critical}));
    if (!listening) throw std::runtime_error(listening.error().message);
    server_ = std::move(*listening);
    thread_ = std::thread([this] { server_->run(); });
  }
  ~RunningServer() { stop(0ms); }

  static HttpServer::Options quick() {
    return {.port = 0,
            .body_bytes_max = 1000,
            .header_timeout = 150ms,
            .request_timeout = 400ms,
            .body_idle_timeout = 150ms,
            .keep_alive_timeout = 300ms,
            .flush_timeout = 150ms};
  }
  std::uint16_t port() const { return server_->port(); }
  void begin_stop(std::chrono::milliseconds grace) { server_->stop(grace); }
  void stop(std::chrono::milliseconds grace) {
    server_->stop(grace);
    if (thread_.joinable()) thread_.join();
  }
  void post(std::function<void(HttpServer&)> task) {
    server_->post([this, task = std::move(task)] { task(*server_); });
  }
  std::string exchange(std::string_view bytes) {
    RawClient client(port());
    client.send(bytes);
    return client.read_all();
  }

 private:
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
};

inline std::string body_of(const std::string& response) {
  const auto end = response.find("\r\n\r\n");
  return end == response.npos ? "" : response.substr(end + 4);
}

// Answers when told, on a thread of its own.
class LateHandler {
 public:
  void operator()(ServerRequest, Responder respond) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(respond));
    changed_.notify_all();
  }
  std::vector<Responder> take(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, 5s, [&] { return waiting_.size() >= count; });
    return std::exchange(waiting_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Responder> waiting_;
};

}  // namespace windlass
