#include "sys/http_connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/address_v6.hpp>
#include <boost/asio/post.hpp>
#include <exception>

#include "sys/crypto.h"
#include "sys/http_answers.h"
#include "sys/http_chunked.h"
#include "sys/http_response.h"

// In the coroutines below a co_await stands alone or initialises a variable, never inside a condition: g++ 12 compiles
// `if (co_await f()) co_return Enum::x;` into a coroutine that traps when it is resumed.
namespace windlass {
namespace {

using namespace std::chrono_literals;

constexpr int kRequestsPerTurn = 32;
// What the kernel holds of answers that a client does not read: it would let that grow to megabytes.
constexpr int kSendBufferBytes = 256 << 10;
const asio::use_awaitable_t<IoExecutor> kAwaitTurn;
constexpr std::size_t kIdleBytesMax = 8 << 10;  // a larger buffer is given back between requests
// After a refusal the client may still be sending; closing at once would reset the connection and could take the answer
// away before it is read (RFC 9112, 9.6).
constexpr auto kLingerTimeout = 1s;

std::string peer_text(const Socket& socket) {
  boost::system::error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  if (error) return "unknown";
  auto address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());  // ::ffff:a.b.c.d (webhook/I7)
  const auto text = address.to_string();
  return address.is_v6() ? fmt::format("[{}]:{}", text, endpoint.port()) : fmt::format("{}:{}", text, endpoint.port());
}

}  // namespace

HttpConnection::HttpConnection(Socket socket, ssl_ctx_st* tls, Shared& shared)
    : shared_(shared), socket_(std::move(socket)), peer_(peer_text(socket_)) {
  if (tls != nullptr) tls_.emplace(tls, socket_.native_handle());
  boost::system::error_code ignored;  // a socket that is gone already shows at the first read
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.set_option(Socket::send_buffer_size(kSendBufferBytes), ignored);
  socket_.non_blocking(true, ignored);
  enter(Stage::handshake, shared_.options.header_timeout);
}

void HttpConnection::enter(Stage stage, std::chrono::milliseconds span) {
  stage_ = stage;
  stage_began_ = std::chrono::steady_clock::now();
  deadline_ = stage_began_ + span;
  expired_ = false;
}

void HttpConnection::sweep(SteadyTime now) {
  if (stage_ == Stage::handling || now < deadline_) return;  // the handler has its own deadlines (webhook/T4)
  expired_ = true;
  boost::system::error_code ignored;
  socket_.cancel(ignored);
  if (stage_ != Stage::handshake) return;
  asio::post(socket_.get_executor(), [self = shared_from_this()] {  // not now: the connections are being gone through
    if (self->stage_ == Stage::handshake) self->go_on();
  });
}

void HttpConnection::hold(std::uint64_t bytes) {
  shared_.unfinished_bytes = shared_.unfinished_bytes - held_bytes_ + bytes;
  held_bytes_ = bytes;
}

void HttpConnection::abandon() {
  let_go();  // the memory follows as soon as serve_one() wakes up
  boost::system::error_code ignored;
  socket_.close(ignored);
  if (stage_ == Stage::handshake) return go_on();
  deliver({.status = 503, .close = true});  // nobody reads it, but serve_one() wakes up
}

void HttpConnection::deliver(ServerResponse response) {
  if (stage_ != Stage::handling || answer_) return;
  answer_ = std::move(response);
  go_on();  // unless the handler has not returned yet
}

void HttpConnection::go_on() {
  if (!waiting_) return;
  auto resume = std::move(*waiting_);
  waiting_.reset();
  resume();
}

Awaitable<void> HttpConnection::serve() {
  const auto self = shared_from_this();
  bool goes_on = true;
  if (tls_) goes_on = co_await shake_hands();
  for (int served = 1; goes_on; ++served) {
    goes_on = co_await serve_one();
    // Whoever sends one request after the other without a pause lets the others have their turn.
    if (goes_on && served % kRequestsPerTurn == 0) co_await asio::post(socket_.get_executor(), kAwaitTurn);
  }
  if (unread_) co_await linger();
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_both, ignored);
  socket_.close(ignored);
}

// Each step in its turn: the client decides how many there are, and when they come.
Awaitable<bool> HttpConnection::shake_hands() {
  using Next = TlsSession::Step::Next;
  auto next = Next::await_read;
  while (next != Next::go_on) {
    const bool is_ready = co_await wait_for(next);
    if (!is_ready) co_return false;
    co_await take_turn();
    if (expired_ || is_abandoned()) co_return false;
    next = tls_->shake_hands().next;
  }
  co_return true;
}

Awaitable<void> HttpConnection::take_turn() {
  const HandshakeTurns::Place place = shared_.turns.enter([this] { go_on(); });
  co_await asio::async_initiate<const asio::use_awaitable_t<IoExecutor>, void()>(
      [this](Resumption resumption) { waiting_.emplace(std::move(resumption)); }, kAwaitTurn);
}

// False: there is nothing to wait for any more.
Awaitable<bool> HttpConnection::wait_for(TlsSession::Step::Next next) {
  using Next = TlsSession::Step::Next;
  if (next == Next::end) co_return false;
  const auto what = next == Next::await_write ? Socket::wait_write : Socket::wait_read;
  const auto [error] = co_await socket_.async_wait(what, kAwait);
  co_return !error;
}

// One request and its answer; false when the connection ends with it.
Awaitable<bool> HttpConnection::serve_one() {
  HttpHeadParser parser;
  const bool has_head = co_await read_head(parser);
  if (!has_head) co_return false;
  auto& head = parser.head();
  input_.erase(0, parser.size());
  if (shared_.stopping) {
    auto answer = error_answer(503, "shutting down", "retry later", new_uuid_v7());
    answer.headers.push_back({"Retry-After", "30"});
    unread_ = head.chunked || head.content_length > 0;
    put_answer(answer, head.method == "HEAD", false);
    co_await flush();
    co_return false;
  }

  ServerRequest request;
  const bool is_framed = co_await read_body(head, request);
  let_go();
  if (!is_framed) co_return false;
  const bool is_head_request = head.method == "HEAD";
  const bool keep_alive = head.keep_alive && request.body_fault == BodyFault::none;
  unread_ = request.body_fault != BodyFault::none;
  request.method = std::move(head.method);
  request.path = std::move(head.path);
  request.query = std::move(head.query);
  request.headers = std::move(head.headers);
  request.peer = peer_;
  co_await ask_handler(std::move(request));
  const bool goes_on = keep_alive && !answer_->close && !shared_.stopping;
  put_answer(*answer_, is_head_request, goes_on);
  answer_.reset();
  const bool flushed = co_await flush();
  co_return flushed&& goes_on;
}

Awaitable<bool> HttpConnection::read_head(HttpHeadParser& parser) {
  using Progress = HttpHeadParser::Progress;
  const auto& options = shared_.options;
  const auto begin_request = [&] {
    enter(Stage::head, options.header_timeout);
    request_deadline_ = std::chrono::steady_clock::now() + options.request_timeout;
  };
  if (input_.empty() && input_.capacity() > kIdleBytesMax) input_ = std::string();
  if (!input_.empty())
    begin_request();
  else
    enter(Stage::idle, std::exchange(first_request_, false) ? options.header_timeout : options.keep_alive_timeout);

  for (;;) {
    const auto progress = input_.empty() ? Progress::incomplete : parser.parse(input_);
    if (progress == Progress::complete) co_return true;
    if (progress == Progress::refused) {
      put_refusal(parser.refusal().status, parser.refusal().reason);
      co_await flush();
      co_return false;
    }
    const bool filled = co_await fill();
    if (filled) {
      if (stage_ == Stage::idle) {
        begin_request();
        shared_.make_room();
      }
      continue;
    }
    if (input_.empty()) co_return false;  // closed or timed out between two requests: nothing to say
    if (expired_)
      put_refusal(408, "the header took too long");
    else
      put_refusal(400, "the connection ended inside the header");
    co_await flush();
    co_return false;
  }
}

// Sets the body or what is wrong with it; false when the connection ends here.
Awaitable<bool> HttpConnection::read_body(const HttpHead& head, ServerRequest& request) {
  if (!head.chunked && head.content_length == 0) co_return true;
  if (head.content_length > shared_.options.body_bytes_max) {
    request.body_fault = BodyFault::too_large;
    co_return true;
  }
  if (head.expects_continue && input_.empty()) {
    output_ = "HTTP/1.1 100 Continue\r\n\r\n";
    const bool flushed = co_await flush();
    if (!flushed) co_return false;
  }
  bool goes_on = true;
  if (head.chunked)
    goes_on = co_await read_chunked_body(request);
  else
    co_await read_sized_body(head.content_length, request);
  co_return goes_on;
}

Awaitable<void> HttpConnection::read_sized_body(std::uint64_t size, ServerRequest& request) {
  auto& body = request.body;
  for (;;) {
    const auto taken = std::min<std::uint64_t>(size - body.size(), input_.size());
    body.append(input_, 0, taken);
    input_.erase(0, taken);
    if (body.size() == size) co_return;
    request.body_fault = co_await fill_body();
    if (request.body_fault != BodyFault::none) co_return;
  }
}

Awaitable<bool> HttpConnection::read_chunked_body(ServerRequest& request) {
  using Progress = ChunkedBody::Progress;
  ChunkedBody chunked(shared_.options.body_bytes_max);
  for (;;) {
    const auto progress = chunked.feed(input_);
    if (progress == Progress::refused) {
      put_refusal(400, chunked.reason());
      co_await flush();
      co_return false;
    }
    if (progress == Progress::too_large) request.body_fault = BodyFault::too_large;
    if (progress == Progress::incomplete) request.body_fault = co_await fill_body();
    if (progress == Progress::complete) request.body = std::move(chunked.body());
    if (progress == Progress::complete || request.body_fault != BodyFault::none) co_return true;
  }
}

Awaitable<BodyFault> HttpConnection::fill_body() {
  enter(Stage::body, shared_.options.body_idle_timeout);
  deadline_ = std::min(deadline_, request_deadline_);
  const bool filled = co_await fill();
  if (filled) co_return BodyFault::none;
  co_return expired_ ? BodyFault::timed_out : BodyFault::cut_off;
}

// Reads what has come, at least one byte; false at the end of the stream, on errors and when the time is over. While it
// waits it holds no more than what has come: ten thousand clients that say nothing must not cost ten thousand buffers.
// All connections read through one.
Awaitable<bool> HttpConnection::fill() {
  for (;;) {
    const auto step = read_some();
    if (step.bytes > 0) {
      input_.append(shared_.scratch.data(), step.bytes);
      hold(held_bytes_ + step.bytes);
      if (stage_ != Stage::idle) shared_.make_room();  // else once it is known that a request has begun
      co_return true;
    }
    const bool is_ready = co_await wait_for(step.next);
    if (!is_ready) co_return false;
  }
}

// Into the buffer of all; what can be had at once. An abandoned connection's descriptor may be another one's by now.
TlsSession::Step HttpConnection::read_some() {
  using Next = TlsSession::Step::Next;
  if (is_abandoned()) return {Next::end};
  if (tls_) return tls_->read(shared_.scratch.data(), shared_.scratch.size());
  boost::system::error_code error;
  const auto count = socket_.read_some(asio::buffer(shared_.scratch), error);
  if (error == asio::error::would_block) return {Next::await_read};
  return error || count == 0 ? TlsSession::Step{Next::end} : TlsSession::Step{Next::go_on, count};
}

TlsSession::Step HttpConnection::write_some(std::string_view bytes) {
  using Next = TlsSession::Step::Next;
  if (is_abandoned()) return {Next::end};
  if (tls_) return tls_->write(bytes.data(), bytes.size());
  boost::system::error_code error;
  const auto count = socket_.write_some(asio::buffer(bytes), error);
  if (error == asio::error::would_block) return {Next::await_write};
  return error ? TlsSession::Step{Next::end} : TlsSession::Step{Next::go_on, count};
}

// Gives the request to the handler and waits for the answer, which is in answer_ afterwards.
Awaitable<void> HttpConnection::ask_handler(ServerRequest request) {
  stage_ = Stage::handling;
  answer_.reset();
  try {
    shared_.handler(std::move(request), shared_.inbox->responder_for(weak_from_this()));
  } catch (const std::exception& error) {  // out of memory, or our own bug: one request, not the service
    shared_.log.error("recovered from panic in background task",
                      {{"context", "http handler"}, {"panic", error.what()}});
    deliver(error_answer(500, "internal error", "the request could not be handled", new_uuid_v7()));
  }
  if (answer_) co_return;
  co_await asio::async_initiate<const asio::use_awaitable_t<IoExecutor>, void()>(
      [this](Resumption resumption) { waiting_.emplace(std::move(resumption)); }, kAwaitTurn);
}

void HttpConnection::put_answer(const ServerResponse& response, bool is_head_request, bool keep_alive) {
  append_response(output_, response, is_head_request, keep_alive);
}

// Answers a request that breaks the rules of HTTP. What follows it on the connection is not taken for a request.
void HttpConnection::put_refusal(int status, std::string_view reason) {
  unread_ = true;
  if (shared_.log.enabled(LogLevel::debug))
    shared_.log.debug("refused a malformed request", {{"ip", peer_}, {"error", reason}});
  put_answer({.status = status,
              .content_type = "text/plain; charset=utf-8",
              .body = fmt::format("{} {}: {}\n", status, reason_phrase(status), reason)},
             false, false);
}

Awaitable<bool> HttpConnection::flush() {
  enter(Stage::flushing, shared_.options.flush_timeout);
  for (std::size_t done = 0; done < output_.size();) {  // nearly always the whole answer fits into the socket's buffer
    const auto step = write_some(std::string_view(output_).substr(done));
    done += step.bytes;
    if (step.bytes > 0) continue;
    const bool is_ready = co_await wait_for(step.next);
    if (!is_ready) co_return false;
  }
  output_.clear();
  if (output_.capacity() > kIdleBytesMax) output_ = std::string();
  co_return true;
}

// Ends our half, then reads what is still coming for a moment.
Awaitable<void> HttpConnection::linger() {
  boost::system::error_code error;
  socket_.shutdown(Socket::shutdown_send, error);
  if (error) co_return;
  enter(Stage::lingering, kLingerTimeout);
  const auto end = deadline_;
  input_ = std::string();
  while (std::chrono::steady_clock::now() < end) {
    const auto [failed] = co_await socket_.async_wait(Socket::wait_read, kAwait);  // lets the others in between
    if (failed) co_return;
    (void)socket_.read_some(asio::buffer(shared_.scratch), error);
    if (error && error != asio::error::would_block) co_return;
  }
}

}  // namespace windlass
