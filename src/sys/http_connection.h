// One client connection of the HTTP server: reads a request, hands it over, waits for the answer, writes it, again.
//
// Everything here runs on the server's one thread. A connection keeps a single point in time at which it is cut; one
// sweep over all connections looks at it, so that no request has to arm a timer.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"
#include "sys/handshake_turns.h"
#include "sys/http_head.h"
#include "sys/http_inbox.h"
#include "sys/http_server.h"
#include "sys/tls_session.h"

namespace windlass {

namespace asio = boost::asio;

// Asio with the executor spelled out: the type-erased default costs an allocation per operation.
using IoExecutor = asio::io_context::executor_type;
template <class T>
using Awaitable = asio::awaitable<T, IoExecutor>;
using Socket = asio::basic_stream_socket<asio::ip::tcp, IoExecutor>;
inline constexpr asio::as_tuple_t<asio::use_awaitable_t<IoExecutor>> kAwait;  // errors come as values
// A coroutine that waits for something that is not an operation of Asio; calling it goes on with the coroutine.
using Resumption = asio::async_result<asio::use_awaitable_t<IoExecutor>, void()>::handler_type;

class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  // What the connections of one server have in common.
  struct Shared {
    const HttpServer::Options& options;
    const HttpServer::Handler& handler;
    Log log;
    std::shared_ptr<HttpInbox> inbox;
    HandshakeTurns turns;
    std::function<void()> make_room;     // called when unfinished_bytes may be over its limit
    std::uint64_t unfinished_bytes = 0;  // of requests that are not complete
    bool stopping = false;
    std::string scratch = std::string(16 << 10, '\0');  // what a connection reads into; used between two waits only
  };

  // With `tls`, OpenSSL's context of the identity, the connection begins with a handshake.
  HttpConnection(Socket socket, ssl_ctx_st* tls, Shared& shared);

  // Serves requests until the connection ends.
  Awaitable<void> serve();

  // The answer to the request in work. Later ones are ignored.
  void deliver(ServerResponse response);
  // Ends what takes longer than it may.
  void sweep(SteadyTime now);
  // No request in work and no byte of one.
  bool is_idle() const { return stage_ == Stage::idle; }
  // Still waiting for a complete header: the first to go when there are too many connections.
  bool awaits_head() const { return stage_ <= Stage::head; }
  // A request of which bytes are held, but not yet all of it.
  bool holds_unfinished() const { return held_bytes_ > 0 && !is_abandoned(); }
  bool began_before(const HttpConnection& other) const { return request_deadline_ < other.request_deadline_; }
  // An answer, or the end of a refused request, that waits for its client.
  bool waits_for_reader() const { return (stage_ == Stage::flushing || stage_ == Stage::lingering) && !is_abandoned(); }
  bool waits_longer_than(const HttpConnection& other) const { return stage_began_ < other.stage_began_; }
  // Counts as holding nothing from here on.
  void let_go() { hold(0); }
  // Ends the connection at once, whatever it is doing.
  void abandon();
  bool is_abandoned() const { return !socket_.is_open(); }

 private:
  enum class Stage { handshake, idle, head, body, handling, flushing, lingering };

  void hold(std::uint64_t bytes);
  void enter(Stage stage, std::chrono::milliseconds span);
  Awaitable<bool> shake_hands();
  Awaitable<void> take_turn();
  void go_on();
  Awaitable<bool> wait_for(TlsSession::Step::Next next);
  Awaitable<bool> serve_one();
  Awaitable<bool> read_head(HttpHeadParser& parser);
  Awaitable<bool> read_body(const HttpHead& head, ServerRequest& request);
  Awaitable<void> read_sized_body(std::uint64_t size, ServerRequest& request);
  Awaitable<bool> read_chunked_body(ServerRequest& request);
  Awaitable<BodyFault> fill_body();
  Awaitable<bool> fill();
  TlsSession::Step read_some();
  TlsSession::Step write_some(std::string_view bytes);
  Awaitable<void> ask_handler(ServerRequest request);
  void put_answer(const ServerResponse& response, bool is_head_request, bool keep_alive);
  void put_refusal(int status, std::string_view reason);
  Awaitable<bool> flush();
  Awaitable<void> linger();

  Shared& shared_;
  Socket socket_;
  std::optional<TlsSession> tls_;
  std::string peer_;

  Stage stage_ = Stage::handshake;
  SteadyTime stage_began_;  // but for that of handling
  SteadyTime deadline_;
  SteadyTime request_deadline_;
  bool expired_ = false;  // the sweep has cut the present stage
  bool unread_ = false;   // the client may still be sending what nobody will read
  bool first_request_ = true;

  std::uint64_t held_bytes_ = 0;  // its part of Shared::unfinished_bytes
  std::string input_;             // bytes of the present request, perhaps of the next ones
  std::string output_;            // bytes of the answer
  std::optional<ServerResponse> answer_;
  std::optional<Resumption> waiting_;  // of ask_handler(), for the answer, or of take_turn()
};

}  // namespace windlass
