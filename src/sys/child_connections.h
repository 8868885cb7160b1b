// Connections through child processes: what a child writes to its standard output is read from the connection, and what
// is written to the connection it reads from its standard input.
//
// Made for a client that insists on connecting its sockets itself: it gets one and an address, and when it has
// connected the child is put at the other end. For one thread at a time.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "sys/files.h"
#include "sys/process.h"

namespace windlass {

class ChildConnections {
 public:
  ChildConnections() = default;
  ~ChildConnections();
  ChildConnections(const ChildConnections&) = delete;
  ChildConnections& operator=(const ChildConnections&) = delete;

  // A TCP socket, the caller's until close(), and where it is to be connected to: in place of the IPv4 address that
  // the caller had.
  Result<int> open(sockaddr& address, unsigned& length);
  // It has been: the child begins, if there is a connection without one. Errors of start_child().
  Status begin(const Command& command);
  // Closes it and ends the child, which is not waited for: who closes has read what there was.
  void close(int socket);

  // The end of what children wrote to standard error since it was last asked, at most 2 KiB on one line. Of those whose
  // connection is closed: while one lives it may be about to write more.
  std::string take_error_output();

 private:
  struct Child {
    pid_t pid;
    FileDescriptor errors;
  };
  struct Begun {
    int socket;
    FileDescriptor listener;
  };

  std::optional<Begun> begun_;     // a connection without a child
  std::map<int, Child> children_;  // by the socket
  std::string error_output_;
};

}  // namespace windlass
