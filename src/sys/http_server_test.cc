#include "sys/http_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <thread>

#include "sys/http_answers.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

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

std::string fault_name(BodyFault fault) {
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
void echo(ServerRequest request, Responder respond) {
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
  std::string exchange(std::string_view bytes) {
    RawClient client(port());
    client.send(bytes);
    return client.read_all();
  }

 private:
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
};

std::string body_of(const std::string& response) {
  const auto end = response.find("\r\n\r\n");
  return end == response.npos ? "" : response.substr(end + 4);
}

constexpr std::string_view kClose = "Host: h\r\nConnection: close\r\n";
std::string post(std::string_view fields, std::string_view body) {
  return "POST /p HTTP/1.1\r\n" + std::string(kClose) + std::string(fields) + "\r\n" + std::string(body);
}

TEST(HttpServer, AnswersWithLengthDateAndConnection) {
  RunningServer server;
  const auto response = server.exchange(post("Content-Length: 3\r\n", "abc"));
  EXPECT_TRUE(response.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 19\r\nDate: "));
  EXPECT_NE(response.find(" GMT\r\nConnection: close\r\n\r\n"), response.npos);
  EXPECT_EQ(body_of(response), "POST /p [abc] none;");
}

// reliability 6, row "must be taken"
TEST(HttpServer, TakesEveryProperForm) {
  RunningServer server;
  const std::pair<std::string, std::string> kTaken[] = {
      {post("Content-Length: 0\r\n", ""), "POST /p [] none;"},
      {post("", ""), "POST /p [] none;"},
      {post("Transfer-Encoding: chunked\r\n", "1\r\na\r\n1;ext=\"1\"\r\nb\r\n0\r\nX: y\r\n\r\n"), "POST /p [ab] none;"},
      {"GET /x HTTP/1.0\r\n\r\n", "GET /x [] none;"},
      {post("Content-Length: 1000\r\n", std::string(1000, 'x')), "POST /p [" + std::string(1000, 'x') + "] none;"},
      {"BREW /%2e?q HTTP/1.1\r\n" + std::string(kClose) + "\r\n", "BREW /%2e [] none;"},
  };
  for (const auto& [request, body] : kTaken) {
    SCOPED_TRACE(request.substr(0, 80));
    EXPECT_EQ(body_of(server.exchange(request)), body);
  }
}

TEST(HttpServer, ServesRequestsOfOneConnectionInOrder) {
  RunningServer server;
  RawClient client(server.port());
  client.send("POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\naPOST /2 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(client.read_until(";").ends_with("POST /1 [a] none;"));
  const auto second = client.read_until(";");
  EXPECT_NE(second.find("Connection: keep-alive\r\n"), second.npos);
  EXPECT_TRUE(second.ends_with("POST /2 [] none;"));
  client.send("GET /3 HTTP/1.0\r\n\r\n");
  EXPECT_EQ(body_of(client.read_all()), "GET /3 [] none;");
}

TEST(HttpServer, SaysContinueBeforeTheBody) {
  RunningServer server;
  RawClient client(server.port());
  client.send(post("Content-Length: 2\r\nExpect: 100-continue\r\n", ""));
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("ok");
  EXPECT_EQ(body_of(client.read_all()), "POST /p [ok] none;");
}

TEST(HttpServer, SendsNoBodyForHead) {
  RunningServer server;
  const auto response = server.exchange("HEAD /p HTTP/1.1\r\n" + std::string(kClose) + "\r\n");
  EXPECT_NE(response.find("Content-Length: 16\r\n"), response.npos) << response;
  EXPECT_EQ(body_of(response), "");
}

// reliability/F88: 413 at once, before the body is read; at the limit when the length is not known
TEST(HttpServer, TellsTheHandlerOfATooLargeBody) {
  RunningServer server;
  for (const auto& request :
       {post("Content-Length: 1001\r\n", ""), post("Content-Length: 10737418240\r\nExpect: 100-continue\r\n", "abc"),
        post("Transfer-Encoding: chunked\r\n", "3e9\r\n")}) {
    const auto response = server.exchange(request);
    EXPECT_EQ(body_of(response), "POST /p [] too_large;");
    EXPECT_NE(response.find("Connection: close\r\n"), response.npos);
  }
}

TEST(HttpServer, ClosesAfterATooLargeBodyWithoutLosingTheAnswer) {
  RunningServer server;
  RawClient client(server.port());
  client.send("POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n");
  client.send(std::string(200'000, 'G'));
  EXPECT_EQ(body_of(client.read_all()), "POST /p [] too_large;");
}

// reliability/T3: what follows a refused request is never a request of its own
TEST(HttpServer, TakesNothingAfterARefusedRequest) {
  std::atomic<int> handled = 0;
  RunningServer server([&](ServerRequest request, Responder respond) {
    ++handled;
    echo(std::move(request), std::move(respond));
  });
  const std::string smuggled = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";
  const std::pair<std::string, std::string_view> kRefused[] = {
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       "400 Bad Request: both Content-Length and Transfer-Encoding\n"},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n",
       "501 Not Implemented: unsupported Transfer-Encoding\n"},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
       "400 Bad Request: malformed chunk size\n"},
      {"POST / HTTP/3.0\r\nHost: h\r\n\r\n", "505 HTTP Version Not Supported: unsupported protocol version\n"},
      {"GET /\r\n\r\n", "400 Bad Request: malformed request line\n"},
      {std::string("\x16\x03\x01\x00\xa5\x01", 6), "400 Bad Request: not an HTTP request\n"},
  };
  for (const auto& [request, body] : kRefused) {
    SCOPED_TRACE(request);
    const auto response = server.exchange(request + smuggled);
    EXPECT_EQ(body_of(response), body);
    EXPECT_NE(response.find("Connection: close\r\n"), response.npos);
  }
  EXPECT_EQ(handled, 0);
}

// reliability 6, row "slow"; webhook/T1
TEST(HttpServer, EndsASlowHeader) {
  RunningServer server;
  RawClient silent(server.port()), slow(server.port());
  slow.send("POST / HT");
  EXPECT_EQ(silent.read_all(), "");
  EXPECT_EQ(body_of(slow.read_all()), "408 Request Timeout: the header took too long\n");
}

// webhook/T2
TEST(HttpServer, TellsTheHandlerOfASlowOrCutBody) {
  RunningServer server;
  EXPECT_EQ(body_of(server.exchange(post("Content-Length: 3\r\n", "ab"))), "POST /p [ab] timed_out;");
  RawClient client(server.port());
  client.send(post("Content-Length: 3\r\n", "ab"));
  client.end_sending();
  EXPECT_EQ(body_of(client.read_all()), "POST /p [ab] cut_off;");
}

// webhook/T2: a byte now and then does not keep a request open for ever
TEST(HttpServer, EndsABodyThatTrickles) {
  RunningServer server;
  RawClient client(server.port());
  client.send(post("Content-Length: 900\r\n", ""));
  const auto start = std::chrono::steady_clock::now();
  std::jthread trickle([&](std::stop_token stop) {
    while (!stop.stop_requested()) client.send("x"), std::this_thread::sleep_for(50ms);
  });
  const auto response = client.read_all();
  EXPECT_TRUE(response.ends_with("timed_out;")) << response;
  EXPECT_LT(std::chrono::steady_clock::now() - start, 1s);
}

TEST(HttpServer, RefusesAHeaderThatEndsEarly) {
  RunningServer server;
  RawClient client(server.port());
  client.send("POST / HTTP/1.1\r\nHost");
  client.end_sending();
  EXPECT_EQ(body_of(client.read_all()), "400 Bad Request: the connection ended inside the header\n");
}

// webhook/T3
TEST(HttpServer, ClosesAnIdleConnection) {
  RunningServer server;
  RawClient client(server.port());
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(client.read_until(";").ends_with("GET / [] none;"));
  EXPECT_EQ(client.read_all(), "");
}

// reliability 2: above the limit the oldest connection without a complete header goes
TEST(HttpServer, MakesRoomByEndingTheOldestSilentConnection) {
  auto options = RunningServer::quick();
  options.connections_max = 2;
  options.header_timeout = 60s;
  RunningServer server(echo, options);
  RawClient oldest(server.port()), second(server.port());
  second.send("POST / HTTP");
  EXPECT_EQ(body_of(server.exchange("GET /third HTTP/1.0\r\n\r\n")), "GET /third [] none;");
  EXPECT_EQ(oldest.read_all(), "");
  second.send("/1.0\r\n\r\n");
  EXPECT_EQ(body_of(second.read_all()), "POST / [] none;");
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

TEST(HttpServer, TakesAnswersFromOtherThreadsAndWithoutALimitOfTime) {
  LateHandler late;
  RunningServer server(std::ref(late));
  RawClient first(server.port()), second(server.port());
  first.send("GET /1 HTTP/1.0\r\n\r\n");
  second.send("GET /2 HTTP/1.0\r\n\r\n");
  auto waiting = late.take(2);
  std::this_thread::sleep_for(450ms);  // longer than every limit of the requests (webhook/T4)
  ASSERT_EQ(waiting.size(), 2u);
  for (auto& respond : waiting) respond({.status = 202, .body = "done"});
  for (auto& respond : waiting) respond({.status = 500, .body = "twice"});  // no effect
  EXPECT_EQ(body_of(first.read_all()), "done");
  EXPECT_EQ(body_of(second.read_all()), "done");
}

TEST(HttpServer, AnswersForAHandlerThatForgets) {
  RunningServer server([](ServerRequest, Responder) {});
  const auto response = server.exchange("GET / HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(response.starts_with("HTTP/1.1 500 Internal Server Error\r\n"));
  EXPECT_TRUE(body_of(response).starts_with(
      R"({"error":"internal error","content":"the request was not answered","job_id":")"));
}

TEST(HttpServer, SurvivesAHandlerThatThrows) {
  RunningServer server([](ServerRequest, Responder) { throw std::runtime_error("oops"); });
  for (int i = 0; i < 2; ++i)
    EXPECT_TRUE(server.exchange("GET / HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 500 Internal Server Error\r\n"));
}

// reliability/F84
TEST(HttpServer, SurvivesClientsThatVanish) {
  LateHandler late;
  RunningServer server(std::ref(late));
  RawClient client(server.port());
  client.send("GET / HTTP/1.0\r\n\r\n");
  auto waiting = late.take(1);
  client.reset();
  ASSERT_EQ(waiting.size(), 1u);
  waiting[0]({.body = "nobody reads this"});
  RawClient next(server.port());
  next.send("GET / HTTP/1.0\r\n\r\n");
  waiting = late.take(1);
  ASSERT_EQ(waiting.size(), 1u);
  waiting[0]({.body = "here"});
  EXPECT_EQ(body_of(next.read_all()), "here");
}

// reliability/F86: an answer that nobody reads ends at the flush limit
TEST(HttpServer, GivesUpOnAnAnswerThatIsNotRead) {
  std::atomic<int> handled = 0;
  RunningServer server([&](ServerRequest, Responder respond) {
    ++handled;
    respond({.body = std::string(20 << 20, 'x')});
  });
  RawClient client(server.port());
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  while (handled == 0) std::this_thread::sleep_for(1ms);
  std::this_thread::sleep_for(300ms);
  EXPECT_LT(client.read_all().size(), 20u << 20);
}

// reliability/P22, webhook/K4
TEST(HttpServer, AnswersOpenRequestsBeforeItStops) {
  LateHandler late;
  RunningServer server(std::ref(late));
  RawClient idle(server.port()), begun(server.port()), open(server.port());
  begun.send("POST / HTTP/1.1\r\nHost: h\r\nContent");
  open.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  auto waiting = late.take(1);
  ASSERT_EQ(waiting.size(), 1u);
  server.begin_stop(5s);
  EXPECT_EQ(idle.read_all(), "");
  begun.send("-Length: 0\r\n\r\n");
  const auto refused = begun.read_all();
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 503 Service Unavailable\r\n")) << refused;
  EXPECT_NE(refused.find("Retry-After: 30\r\n"), refused.npos);
  EXPECT_TRUE(body_of(refused).starts_with(R"({"error":"shutting down","content":"retry later","job_id":")"));
  EXPECT_FALSE(RawClient(server.port()).connected());
  waiting[0]({.status = 201, .body = "last"});
  const auto last = open.read_all();
  EXPECT_NE(last.find("Connection: close\r\n"), last.npos);
  EXPECT_EQ(body_of(last), "last");
  server.stop(5s);
}

TEST(HttpServer, StopsWhenTheGraceIsOver) {
  LateHandler late;
  RunningServer server(std::ref(late));
  RawClient open(server.port());
  open.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  auto waiting = late.take(1);
  ASSERT_EQ(waiting.size(), 1u);
  server.stop(50ms);
  EXPECT_EQ(open.read_all(), "");
  waiting[0]({.body = "too late"});  // no effect, no harm
}

TEST(HttpServer, NamesWhatItCannotListenOn) {
  RunningServer server;
  auto taken = RunningServer::quick();
  taken.port = server.port();
  const auto second = HttpServer::listen(taken, echo, Log());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message,
            "listening on :: port " + std::to_string(server.port()) + ": Address already in use");

  auto tls = RunningServer::quick();
  tls.tls_cert_file = tls.tls_key_file = "/nowhere/cert.pem";
  const auto third = HttpServer::listen(tls, echo, Log());
  ASSERT_FALSE(third);
  EXPECT_TRUE(third.error().message.starts_with("loading certificate /nowhere/cert.pem: ")) << third.error().message;
}

// webhook/A9
TEST(HttpServer, SpeaksTlsWithItsCertificate) {
  const auto folder = std::filesystem::temp_directory_path() / ("windlass-tls-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const auto cert = (folder / "cert.pem").string(), key = (folder / "key.pem").string();
  const auto make =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost -keyout " +
      key + " -out " + cert + " 2>/dev/null";
  ASSERT_EQ(std::system(make.c_str()), 0);
  auto options = RunningServer::quick();
  options.header_timeout = options.body_idle_timeout = options.request_timeout = 5s;
  options.tls_cert_file = cert;
  options.tls_key_file = key;
  RunningServer server(echo, options);

  asio::io_context io;
  asio::ssl::context trust(asio::ssl::context::tls_client);
  trust.load_verify_file(cert);
  asio::ssl::stream<asio::ip::tcp::socket> client(io, trust);
  client.set_verify_mode(asio::ssl::verify_peer);
  client.lowest_layer().connect({asio::ip::address_v4::loopback(), server.port()});
  client.handshake(asio::ssl::stream_base::client);
  std::string received;
  for (const auto* path : {"/1", "/2"}) {
    asio::write(client,
                asio::buffer("POST " + std::string(path) + " HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab"));
    received.clear();
    asio::read_until(client, asio::dynamic_buffer(received), ';');
    EXPECT_EQ(body_of(received), "POST " + std::string(path) + " [ab] none;");
  }
  EXPECT_EQ(server.exchange("GET / HTTP/1.0\r\n\r\n").substr(0, 4), "");  // not TLS: closed
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace windlass
