#include "sys/http_server.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <future>
#include <thread>

#include "sys/http_server_fixture.h"
#include "sys/test_certificate.h"

namespace windlass {
namespace {

namespace asio = boost::asio;

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
  EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
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

TEST(HttpServer, MakesRoomByEndingTheOldestUnfinishedBody) {
  auto options = RunningServer::quick();
  options.connections_max = 2;
  options.request_timeout = options.body_idle_timeout = 60s;
  RunningServer server(echo, options);
  const std::string head = "POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\n";
  RawClient oldest(server.port()), second(server.port());
  oldest.send(head + "a");
  std::this_thread::sleep_for(50ms);
  second.send(head + "a");
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(body_of(server.exchange("GET /third HTTP/1.0\r\n\r\n")), "GET /third [] none;");
  EXPECT_TRUE(oldest.is_ended());
  second.send("bc");
  EXPECT_EQ(body_of(second.read_all()), "POST / [abc] none;");
}

TEST(HttpServer, MakesRoomByEndingTheSlowestReader) {
  auto options = RunningServer::quick();
  options.connections_max = 2;
  options.flush_timeout = 60s;
  constexpr std::size_t kLarge = 32 << 20;  // more than the kernel takes of it
  const auto handler = [](ServerRequest request, Responder respond) {
    if (request.path != "/large") return echo(std::move(request), std::move(respond));
    respond({.status = 200, .content_type = "text/plain", .body = std::string(kLarge, 'x')});
  };
  RunningServer server(handler, options);
  RawClient slowest(server.port()), second(server.port());
  slowest.send("GET /large HTTP/1.0\r\n\r\n");
  std::this_thread::sleep_for(100ms);
  second.send("GET /large HTTP/1.0\r\n\r\n");
  std::this_thread::sleep_for(100ms);
  EXPECT_EQ(body_of(server.exchange("GET /third HTTP/1.0\r\n\r\n")), "GET /third [] none;");
  EXPECT_LT(slowest.read_all().size(), kLarge);
  EXPECT_EQ(body_of(second.read_all()).size(), kLarge);
}

TEST(HttpServer, MakesRoomByEndingWhoIsStillSendingWhatNobodyReads) {
  auto options = RunningServer::quick();
  options.connections_max = 1;
  RunningServer server(echo, options);
  RawClient refused(server.port());
  refused.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5000\r\n\r\n");
  EXPECT_TRUE(refused.read_until(";").ends_with("too_large;"));
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(body_of(server.exchange("GET /next HTTP/1.0\r\n\r\n")), "GET /next [] none;");
}

TEST(HttpServer, BoundsTheBytesOfAllUnfinishedRequests) {
  auto options = RunningServer::quick();
  options.unfinished_bytes_max = 50'000;
  options.body_bytes_max = 12'000;  // four of which the limit always lets in
  options.request_timeout = options.body_idle_timeout = 60s;
  RunningServer server(echo, options);
  const std::string head = "POST / HTTP/1.0\r\nContent-Length: 11003\r\n\r\n", most(11'000, 'a');
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(std::make_unique<RawClient>(server.port()));
    clients.back()->send(head + most);
    std::this_thread::sleep_for(30ms);
  }
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(clients[i]->is_ended()) << i;
  for (int i = 2; i < 6; ++i) {
    clients[i]->send("bcd");
    EXPECT_EQ(body_of(clients[i]->read_all()), "POST / [" + most + "bcd] none;") << i;
  }
  for (int i = 0; i < 10; ++i)  // what has ended is not counted any more
    EXPECT_EQ(body_of(server.exchange(head + most + "bcd")), "POST / [" + most + "bcd] none;") << i;
}

TEST(HttpServer, NamesWhatItCannotListenOn) {
  RunningServer server;
  auto taken = RunningServer::quick();
  taken.port = server.port();
  const auto second = HttpServer::listen(taken, echo, Log());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message,
            "listening on :: port " + std::to_string(server.port()) + ": Address already in use");
}

using TlsClient = asio::ssl::stream<asio::ip::tcp::socket>;

HttpServer::Options with_tls(const TestCertificate& certificate) {
  ::signal(SIGPIPE, SIG_IGN);  // as in main()
  auto options = RunningServer::quick();
  options.header_timeout = options.body_idle_timeout = options.request_timeout = 5s;
  options.keep_alive_timeout = 30s;
  options.tls = *TlsIdentity::load(certificate.file(), certificate.key_file());
  return options;
}

std::string answer_to(TlsClient& client, const std::string& path) {
  asio::write(client, asio::buffer("POST " + path + " HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab"));
  std::string received;
  asio::read_until(client, asio::dynamic_buffer(received), ';');
  return body_of(received);
}

// A client that trusts that certificate and no other.
struct Trusting {
  Trusting(const TestCertificate& certificate, std::uint16_t port)
      : context(asio::ssl::context::tls_client), client(io, trust(certificate)) {
    client.set_verify_mode(asio::ssl::verify_peer);
    client.lowest_layer().connect({asio::ip::address_v4::loopback(), port});
  }
  asio::ssl::context& trust(const TestCertificate& certificate) {
    context.load_verify_file(certificate.file());
    return context;
  }
  bool shakes_hands() {
    boost::system::error_code error;
    client.handshake(asio::ssl::stream_base::client, error);
    return !error;
  }
  asio::io_context io;
  asio::ssl::context context;
  TlsClient client;
};

// webhook/A9
TEST(HttpServer, SpeaksTlsWithItsCertificate) {
  const TestCertificate certificate("localhost");
  RunningServer server(echo, with_tls(certificate));
  Trusting one(certificate, server.port());
  ASSERT_TRUE(one.shakes_hands());
  for (const std::string path : {"/1", "/2"}) EXPECT_EQ(answer_to(one.client, path), "POST " + path + " [ab] none;");
  EXPECT_EQ(server.exchange("GET / HTTP/1.0\r\n\r\n").substr(0, 4), "");  // not TLS: closed
}

TEST(HttpServer, SendsAndTakesOverTlsWhatFillsTheSocket) {
  const TestCertificate certificate("localhost");
  auto options = with_tls(certificate);
  options.body_bytes_max = 2 << 20;
  options.flush_timeout = 5s;
  RunningServer server(echo, options);
  Trusting one(certificate, server.port());
  ASSERT_TRUE(one.shakes_hands());
  std::string body(1 << 20, 'x');
  for (std::size_t at = 0; at < body.size(); at += 4096) body[at] = static_cast<char>('a' + at / 4096 % 26);
  asio::write(one.client, asio::buffer("POST /big HTTP/1.1\r\nHost: h\r\nContent-Length: " +
                                       std::to_string(body.size()) + "\r\n\r\n" + body));
  std::this_thread::sleep_for(100ms);  // the answer does not fit into the socket's buffers
  std::string received;
  asio::read_until(one.client, asio::dynamic_buffer(received), ';');
  EXPECT_TRUE(body_of(received) == "POST /big [" + body + "] none;");
}

TEST(HttpServer, ShowsAnotherCertificateToWhoeverConnectsFromThenOn) {
  const TestCertificate before("before"), after("after");
  RunningServer server(echo, with_tls(before));
  Trusting open(before, server.port());
  ASSERT_TRUE(open.shakes_hands());
  EXPECT_EQ(answer_to(open.client, "/1"), "POST /1 [ab] none;");
  std::promise<void> used;
  server.post([&](HttpServer& there) {
    there.use(*TlsIdentity::load(after.file(), after.key_file()));
    used.set_value();
  });
  used.get_future().wait();
  EXPECT_TRUE(Trusting(after, server.port()).shakes_hands());
  EXPECT_FALSE(Trusting(before, server.port()).shakes_hands());
  EXPECT_EQ(answer_to(open.client, "/2"), "POST /2 [ab] none;") << "an open connection goes on";
}

}  // namespace
}  // namespace windlass
