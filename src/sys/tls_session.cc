#include "sys/tls_session.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <new>

namespace windlass {

TlsSession::TlsSession(ssl_ctx_st* identity, int socket) : session_(::SSL_new(identity), ::SSL_free) {
  if (!session_ || ::SSL_set_fd(session_.get(), socket) != 1) throw std::bad_alloc();  // nothing else can fail here
  ::SSL_set_accept_state(session_.get());
}

TlsSession::Step TlsSession::step(int result, std::size_t bytes) const {
  if (result == 1) return {Step::Next::go_on, bytes};
  switch (::SSL_get_error(session_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {Step::Next::await_read};
    case SSL_ERROR_WANT_WRITE:
      return {Step::Next::await_write};
    default:
      return {Step::Next::end};
  }
}

// The library's list of errors is the thread's: what another connection has left there would count for this one.
TlsSession::Step TlsSession::shake_hands() {
  ::ERR_clear_error();
  return step(::SSL_do_handshake(session_.get()), 0);
}

TlsSession::Step TlsSession::read(char* to, std::size_t room) {
  ::ERR_clear_error();
  std::size_t bytes = 0;
  const int result = ::SSL_read_ex(session_.get(), to, room, &bytes);
  return step(result, bytes);
}

TlsSession::Step TlsSession::write(const char* from, std::size_t size) {
  ::ERR_clear_error();
  std::size_t bytes = 0;
  const int result = ::SSL_write_ex(session_.get(), from, size, &bytes);
  return step(result, bytes);
}

}  // namespace windlass
