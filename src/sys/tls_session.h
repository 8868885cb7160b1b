// TLS of one connection, over a socket that does not block: each call does what can be done at once.
//
// OpenSSL reads and writes the socket itself, so a connection that waits has no buffers beside OpenSSL's own. SIGPIPE
// must be ignored.
#pragma once

#include <cstddef>
#include <memory>

struct ssl_ctx_st;
struct ssl_st;  // OpenSSL's SSL

namespace windlass {

class TlsSession {
 public:
  // `socket` must live as long. `identity` is that of the server; it may be replaced meanwhile.
  TlsSession(ssl_ctx_st* identity, int socket);

  struct Step {
    enum class Next { go_on, await_read, await_write, end };
    Next next = Next::end;  // `end`: the peer has gone, or breaks the rules
    std::size_t bytes = 0;
  };

  // A step of the handshake, which is over with `go_on`. The one that answers the client's greeting costs a signature:
  // milliseconds with an RSA key.
  Step shake_hands();
  // At least one byte with `go_on`.
  Step read(char* to, std::size_t room);
  Step write(const char* from, std::size_t size);

 private:
  Step step(int result, std::size_t bytes) const;

  std::unique_ptr<ssl_st, void (*)(ssl_st*)> session_;
};

}  // namespace windlass
