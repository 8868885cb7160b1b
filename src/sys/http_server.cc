#include "sys/http_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <list>
#include <optional>

#include "base/recover.h"
#include "sys/http_connection.h"
#include "sys/http_inbox.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;
using Acceptor = asio::basic_socket_acceptor<tcp, IoExecutor>;
using Timer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, IoExecutor>;

constexpr int kAcceptsPerTurn = 128;

// Timeouts are checked this often: often enough for the shortest of them, rarely enough to cost nothing.
std::chrono::milliseconds sweep_interval(const HttpServer::Options& options) {
  const auto shortest = std::min({options.header_timeout, options.request_timeout, options.body_idle_timeout,
                                  options.keep_alive_timeout, options.flush_timeout});
  return std::clamp<std::chrono::milliseconds>(shortest / 8, 10ms, 250ms);
}

boost::system::error_code bind_to(Acceptor& acceptor, const tcp::endpoint& endpoint) {
  boost::system::error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(false), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(4096, error);
  if (!error) acceptor.non_blocking(true, error);
  boost::system::error_code ignored;
  if (error) acceptor.close(ignored);
  return error;
}

class AsioHttpServer final : public HttpServer {
 public:
  AsioHttpServer(Options options, Handler handler, Log log)
      : options_(std::move(options)),
        handler_(std::move(handler)),
        log_(std::move(log)),
        acceptor_(io_),
        sweep_timer_(io_),
        shared_{
            options_, handler_, log_, std::make_shared<HttpInbox>(io_), HandshakeTurns(io_), [this] { make_room(); }} {
    options_.unfinished_bytes_max = std::max(options_.unfinished_bytes_max, 4 * options_.body_bytes_max);
  }

  ~AsioHttpServer() override { shared_.inbox->close(); }

  Status open() {
    if (options_.tls) use(*options_.tls);
    boost::system::error_code error;
    const auto address = asio::ip::make_address(options_.address, error);
    if (error) return fail(Kind::invalid, fmt::format("listening on {}: not an IP address", options_.address));
    error = bind_to(acceptor_, {address, options_.port});
    if (error == asio::error::address_family_not_supported && options_.address == "::")
      error = bind_to(acceptor_, {asio::ip::address_v4::any(), options_.port});
    if (error)
      return fail(Kind::unavailable,
                  fmt::format("listening on {} port {}: {}", options_.address, options_.port, error.message()));
    port_ = acceptor_.local_endpoint(error).port();
    asio::co_spawn(io_, accept_connections(), rethrow);
    return {};
  }

  std::uint16_t port() const override { return port_; }

  void run() override {
    for (;;) {
      try {
        io_.run();
        return;
      } catch (const std::exception& error) {  // out of memory: the connection is lost, the service is not
        tell_of_panic(log_, "http server", error.what());
      }
    }
  }

  void stop(std::chrono::milliseconds grace) override {
    asio::post(io_, [this, grace] { begin_stop(grace); });
  }

  void post(std::function<void()> task) override { asio::post(io_, std::move(task)); }

  // Connections hold on to what they have begun with.
  void use(const TlsIdentity& identity) override { tls_ = identity.context; }

 private:
  using Connections = std::list<std::shared_ptr<HttpConnection>>;

  static void rethrow(const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  }

  // For as long as the server is open, whatever a single connection costs.
  Awaitable<void> accept_connections() {
    Timer timer(io_);
    bool must_rest = false;
    while (acceptor_.is_open()) {
      try {
        if (must_rest) {
          timer.expires_after(100ms);
          co_await timer.async_wait(kAwait);
          must_rest = false;
        } else {
          must_rest = !co_await accept_one();
        }
      } catch (const std::exception& error) {
        tell_of_panic(log_, "accepting a connection", error.what());
        must_rest = true;
      }
    }
  }

  // False: nothing can be accepted for a moment.
  Awaitable<bool> accept_one() {
    auto [error, socket] = co_await acceptor_.async_accept(kAwait);
    if (!acceptor_.is_open()) co_return true;
    if (error == asio::error::connection_aborted) co_return true;
    // Out of descriptors or memory: somebody who has not said what he wants makes room.
    if (error) co_return evict_one();
    admit(std::move(socket));
    // Whoever waits behind others need not wait for a turn of all that is ready before each of them.
    for (int more = 0; more < kAcceptsPerTurn; ++more) {
      Socket next(io_);
      acceptor_.accept(next, error);
      if (error) break;
      admit(std::move(next));
    }
    co_return true;
  }

  void admit(Socket socket) {
    if (connections_.size() >= options_.connections_max && !evict_one()) return;
    auto connection = std::make_shared<HttpConnection>(std::move(socket), tls_.get(), shared_);
    const auto place = connections_.insert(connections_.end(), connection);
    try {
      asio::co_spawn(io_, connection->serve(), [this, place](std::exception_ptr error) {
        remove(place);
        rethrow(error);
      });
    } catch (...) {
      remove(place);
      throw;
    }
    sweep_if_needed();
  }

  void remove(Connections::iterator place) {
    (*place)->let_go();
    connections_.erase(place);
    if (connections_.empty() && shared_.stopping) sweep_timer_.cancel();
  }

  // Ends the oldest connection without a complete header (reliability 2), else one that is still sending a body, else
  // one that does not read its answer.
  bool evict_one() {
    const auto oldest = std::find_if(connections_.begin(), connections_.end(), [](const auto& connection) {
      return connection->awaits_head() && !connection->is_abandoned();
    });
    if (oldest == connections_.end()) return evict_unfinished() || evict_slow_reader();
    (*oldest)->abandon();
    return true;
  }

  // Ends the request that is on its way for the longest time: an honest one takes some milliseconds.
  bool evict_unfinished() {
    std::shared_ptr<HttpConnection> oldest;
    for (const auto& connection : connections_)
      if (connection->holds_unfinished() && (!oldest || connection->began_before(*oldest))) oldest = connection;
    if (oldest) oldest->abandon();
    return oldest != nullptr;
  }

  // Ends the connection whose client takes its answer for the longest time.
  bool evict_slow_reader() {
    std::shared_ptr<HttpConnection> slowest;
    for (const auto& connection : connections_)
      if (connection->waits_for_reader() && (!slowest || connection->waits_longer_than(*slowest))) slowest = connection;
    if (slowest) slowest->abandon();
    return slowest != nullptr;
  }

  // Bodies are read before anybody knows whether the sender may send any: all of them together have a bound.
  void make_room() {
    while (shared_.unfinished_bytes > options_.unfinished_bytes_max && evict_unfinished()) {
    }
  }

  // Runs while there are connections: an idle service wakes up for nothing.
  void sweep_if_needed() {
    if (sweeping_) return;
    asio::co_spawn(io_, sweep_connections(), [this](std::exception_ptr error) {
      sweeping_ = false;
      if (!connections_.empty()) sweep_if_needed();  // an error has ended it
      rethrow(error);
    });
    sweeping_ = true;
  }

  Awaitable<void> sweep_connections() {
    while (!connections_.empty()) {
      sweep_timer_.expires_after(sweep_interval(options_));
      co_await sweep_timer_.async_wait(kAwait);
      const auto now = std::chrono::steady_clock::now();
      for (const auto& connection : connections_) connection->sweep(now);
      if (stop_at_ && now >= *stop_at_) abandon_if([](const HttpConnection&) { return true; });
    }
  }

  void begin_stop(std::chrono::milliseconds grace) {
    shared_.stopping = true;
    stop_at_ = std::chrono::steady_clock::now() + grace;
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    abandon_if([](const HttpConnection& connection) { return connection.is_idle(); });
  }

  template <class Condition>
  void abandon_if(Condition condition) {
    for (const auto& connection : Connections(connections_))  // a copy: connections that end leave the list
      if (condition(*connection)) connection->abandon();
  }

  Options options_;
  Handler handler_;
  Log log_;
  asio::io_context io_{1};  // before everything that uses it, so that it goes last
  Acceptor acceptor_;
  Timer sweep_timer_;
  std::shared_ptr<ssl_ctx_st> tls_;
  HttpConnection::Shared shared_;
  Connections connections_;  // oldest first
  bool sweeping_ = false;
  std::optional<SteadyTime> stop_at_;
  std::uint16_t port_ = 0;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::listen(Options options, Handler handler, Log log) {
  auto server = std::make_unique<AsioHttpServer>(std::move(options), std::move(handler), std::move(log));
  if (auto opened = server->open(); !opened) return tl::unexpected(opened.error());
  return Result<std::unique_ptr<HttpServer>>(std::move(server));
}

}  // namespace windlass
