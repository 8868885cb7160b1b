#include "sys/child_connections.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "sys/child_start.h"

namespace windlass {
namespace {

constexpr std::size_t kErrorOutputBytesMax = 2 << 10;
constexpr int kBacklog = 16;
constexpr int kAcceptTimeoutMs = 1000;  // it has been connected: the wait is for the kernel

// Any process of this machine may connect to the port while it is there: only the very socket is let in.
FileDescriptor other_end_of(int socket, int listener) {
  sockaddr_in ours{}, peer{};
  socklen_t length = sizeof ours;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&ours), &length) != 0) return {};
  for (int tries = 0; tries <= kBacklog; ++tries) {
    pollfd waiting{listener, POLLIN, 0};
    ::poll(&waiting, 1, kAcceptTimeoutMs);
    length = sizeof peer;
    FileDescriptor end(::accept4(listener, reinterpret_cast<sockaddr*>(&peer), &length, SOCK_CLOEXEC));
    if (!end.valid() || (peer.sin_port == ours.sin_port && peer.sin_addr.s_addr == ours.sin_addr.s_addr)) return end;
  }
  errno = EADDRINUSE;
  return {};
}

}  // namespace

ChildConnections::~ChildConnections() {
  while (!children_.empty()) close(children_.begin()->first);
}

// On loopback, because libcurl 7.88 keeps no connection to a socket without a name or a path.
Result<int> ChildConnections::open(sockaddr& address, unsigned& length) {
  FileDescriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t used = sizeof name;
  if (!listener.valid() || ::bind(listener.get(), reinterpret_cast<sockaddr*>(&name), used) != 0 ||
      ::listen(listener.get(), kBacklog) != 0 ||
      ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&name), &used) != 0)
    return tl::unexpected(system_error("making a socket", errno));
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return tl::unexpected(system_error("making a socket", errno));
  std::memcpy(&address, &name, sizeof name);
  length = sizeof name;
  begun_ = Begun{socket, std::move(listener)};
  return socket;
}

Status ChildConnections::begin(const Command& command) {
  if (!begun_) return {};
  const auto [socket, listener] = *std::exchange(begun_, {});
  const auto end = above_standard(other_end_of(socket, listener.get()));
  auto errors = make_pipe();
  if (!end.valid() || !errors) return cannot_start(command, "connection", errno);
  const int at_once = 1;
  ::setsockopt(end.get(), IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
  // Not with this thread: others go on with the connection. When this process dies, the child reads the end of it.
  const auto pid = start_child(command, {end.get(), end.get(), errors->write.get()}, ChildEnds::by_itself);
  if (!pid) return tl::unexpected(pid.error());
  children_.insert_or_assign(socket, Child{*pid, std::move(errors->read)});
  return {};
}

void ChildConnections::close(int socket) {
  ::close(socket);
  if (begun_ && begun_->socket == socket) begun_.reset();
  const auto found = children_.find(socket);
  if (found == children_.end()) return;
  const auto child = std::move(found->second);
  children_.erase(found);
  kill(-child.pid, SIGKILL);  // it is not reaped yet, so the id is still its own
  waitpid(child.pid, nullptr, 0);
  std::array<char, kErrorOutputBytesMax> buffer;
  for (;;) {  // the pipe does not block
    const auto got = ::read(child.errors.get(), buffer.data(), buffer.size());
    if (got <= 0) break;
    error_output_.append(buffer.data(), static_cast<std::size_t>(got));
    if (error_output_.size() > kErrorOutputBytesMax)
      error_output_.erase(0, error_output_.size() - kErrorOutputBytesMax);
  }
}

std::string ChildConnections::take_error_output() {
  std::string line;
  const auto output = std::exchange(error_output_, {});
  for (const auto part : split(output, '\n'))
    if (const auto text = trim(part); !text.empty())
      line += (line.empty() ? "" : "; ") + printable(text, kErrorOutputBytesMax);
  return line;
}

}  // namespace windlass
