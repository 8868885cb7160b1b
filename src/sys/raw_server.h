// A server for tests that sends exactly the bytes it is told to, right or wrong.
#pragma once

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

namespace windlass {

// One connection as the server of a test sees it.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {}

  // The next request up to the end of its head; "" when the client is gone.
  std::string read_head() const {
    std::string head;
    char byte;
    while (!head.ends_with("\r\n\r\n") && ::recv(fd_, &byte, 1, 0) == 1) head += byte;
    return head.ends_with("\r\n\r\n") ? head : "";
  }
  // The next `count` bytes, fewer when the client is gone.
  std::string read_bytes(std::size_t count) const {
    std::string bytes(count, '\0');
    const auto got = ::recv(fd_, bytes.data(), count, MSG_WAITALL);
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
  }
  bool write(std::string_view bytes) const {
    return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }
  void reset() const {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  // Until the client closes.
  void wait_for_end() const {
    char byte;
    while (::recv(fd_, &byte, 1, 0) > 0) {
    }
  }

 private:
  int fd_;
};

// Hands each connection to `serve`, one after another, on a thread of its own.
class RawServer {
 public:
  using Serve = std::function<void(const Peer&)>;

  explicit RawServer(Serve serve) : RawServer(std::move(serve), "") {}
  RawServer(Serve serve, const std::string& unix_path) : serve_(std::move(serve)) {
    listener_ = ::socket(unix_path.empty() ? AF_INET : AF_UNIX, SOCK_STREAM, 0);
    if (unix_path.empty()) {
      sockaddr_in address{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
      socklen_t size = sizeof address;
      ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
      port_ = ntohs(address.sin_port);
    } else {
      sockaddr_un address{.sun_family = AF_UNIX};
      unix_path.copy(address.sun_path, sizeof address.sun_path - 1);
      ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    }
    ::listen(listener_, 16);
    thread_ = std::thread([this] { run(); });
  }
  ~RawServer() {
    ::shutdown(listener_, SHUT_RDWR);
    ::shutdown(connection_, SHUT_RDWR);  // the transport may keep it open
    thread_.join();
    ::close(listener_);
  }
  std::string url(std::string_view path = "/x") const { return fmt::format("http://127.0.0.1:{}{}", port_, path); }
  int connections() const { return connections_; }

 private:
  void run() {
    for (int fd; (fd = ::accept(listener_, nullptr, nullptr)) >= 0; ::close(fd)) {
      connection_ = fd;
      ++connections_;
      serve_(Peer(fd));
      connection_ = -1;
    }
  }

  Serve serve_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connections_ = 0, connection_ = -1;
  std::thread thread_;
};

}  // namespace windlass
