#include "sys/http_connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/address_v6.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
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

constexpr std::size_t kHeadRoom = 2 << 10;  // most requests fit whole
constexpr std::size_t kBodyRoom = 16 << 10;
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

HttpConnection::HttpConnection(Socket socket, asio::ssl::context* tls, Shared& shared)
    : shared_(shared), socket_(std::move(socket)), peer_(peer_text(socket_)) {
  if (tls != nullptr) tls_ = std::make_unique<asio::ssl::stream<Socket&>>(socket_, *tls);
  boost::system::error_code ignored;  // a socket that is gone already shows at the first read
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.set_option(Socket::send_buffer_size(kSendBufferBytes), ignored);
  socket_.non_blocking(true, ignored);
  enter(Stage::handshake, shared_.options.header_timeout);
}

void HttpConnection::enter(Stage stage, std::chrono::milliseconds span) {
  stage_ = stage;
  deadline_ = std::chrono::steady_clock::now() + span;
  expired_ = false;
}

void HttpConnection::sweep(SteadyTime now) {
  if (stage_ == Stage::handling || now < deadline_) return;  // the handler has its own deadlines (webhook/T4)
  expired_ = true;
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void HttpConnection::hold(std::uint64_t bytes) {
  shared_.unfinished_bytes = shared_.unfinished_bytes - held_bytes_ + bytes;
  held_bytes_ = bytes;
}

void HttpConnection::abandon() {
  let_go();  // the memory follows as soon as serve_one() wakes up
  boost::system::error_code ignored;
  socket_.close(ignored);
  deliver({.status = 503, .close = true});  // nobody reads it, but serve_one() wakes up
}

void HttpConnection::deliver(ServerResponse response) {
  if (stage_ != Stage::handling || answer_) return;
  answer_ = std::move(response);
  if (!waiting_) return;  // the handler has not returned yet
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

Awaitable<bool> HttpConnection::shake_hands() {
  const auto [error] = co_await tls_->async_handshake(asio::ssl::stream_base::server, kAwait);
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
    const bool filled = co_await fill(kHeadRoom);
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
  const bool filled = co_await fill(kBodyRoom);
  if (filled) co_return BodyFault::none;
  co_return expired_ ? BodyFault::timed_out : BodyFault::cut_off;
}

// Reads what has come, at least one byte; false at the end of the stream, on errors and when the time is over.
Awaitable<bool> HttpConnection::fill(std::size_t room) {
  if (!tls_) co_return co_await fill_plain();
  const auto held = held_bytes_;
  if (stage_ != Stage::idle) {  // between requests there is one small buffer for each connection
    hold(held + room);
    shared_.make_room();
  }
  const auto have = input_.size();
  input_.resize(have + room);
  const auto [error, count] = co_await tls_->async_read_some(asio::buffer(input_.data() + have, room), kAwait);
  input_.resize(have + (error ? 0 : count));
  if (!is_abandoned()) hold(held + (error ? 0 : count));
  co_return !error && count > 0;
}

// While it waits it holds no more than what has come: ten thousand clients that say nothing must not cost ten thousand
// buffers. All connections read through one.
Awaitable<bool> HttpConnection::fill_plain() {
  for (;;) {
    boost::system::error_code error;
    const auto count = socket_.read_some(asio::buffer(shared_.scratch), error);
    if (!error) {
      input_.append(shared_.scratch.data(), count);
      hold(held_bytes_ + count);
      if (stage_ != Stage::idle) shared_.make_room();  // else once it is known that a request has begun
      co_return count > 0;
    }
    if (error != asio::error::would_block) co_return false;
    const auto [failed] = co_await socket_.async_wait(Socket::wait_read, kAwait);
    if (failed) co_return false;
  }
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
  std::size_t done = 0;
  if (!tls_) {  // nearly always the whole answer fits into the socket's buffer: no need to wait for anything
    boost::system::error_code error;
    done = socket_.write_some(asio::buffer(output_), error);
    if (error && error != asio::error::would_block) co_return false;
  }
  while (done < output_.size()) {
    const auto rest = asio::buffer(output_.data() + done, output_.size() - done);
    std::size_t written = 0;
    if (tls_) {
      const auto [error, count] = co_await tls_->async_write_some(rest, kAwait);
      if (!error) written = count;
    } else {
      const auto [error, count] = co_await socket_.async_write_some(rest, kAwait);
      if (!error) written = count;
    }
    if (written == 0) co_return false;
    done += written;
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
