#include "sys/curl_transport.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "sys/crypto.h"
#include "sys/curl_fixture.h"
#include "sys/http_server_fixture.h"
#include "sys/process.h"
#include "sys/test_certificate.h"
#include "sys/tls_fault.h"

namespace windlass {
namespace {

using SteadyClock = std::chrono::steady_clock;
using CurlTransportTest = CurlFixture;

TEST_F(CurlTransportTest, SendsNothingButWhatWasAskedFor) {
  std::string head;
  RawServer server([&](const Peer& peer) {
    head = peer.read_head();
    peer.write(kOk);
  });
  const auto response = send(get(server.url("/a/../b?x=1")));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "ok");
  const auto host = server.url("").substr(7);
  EXPECT_EQ(head, "GET /a/../b?x=1 HTTP/1.1\r\nHost: " + host + "\r\nAccept: */*\r\nUser-Agent: windlass\r\n\r\n");
}

TEST_F(CurlTransportTest, KeepsConnectionsAlive) {
  RawServer server([](const Peer& peer) {
    while (!peer.read_head().empty()) peer.write(kOk);
  });
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(send(get(server.url())));
  auto head = get(server.url());
  head.method = "HEAD";
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(CurlTransportTest, AsksAgainWhenAKeptConnectionHasDied) {
  RawServer server([](const Peer& peer) {
    peer.read_head();
    peer.write(kOk);
  });
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(send(get(server.url())));
  EXPECT_EQ(server.connections(), 3);
}

TEST_F(CurlTransportTest, NeverFollowsARedirect) {
  RawServer server(answering("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"));
  const auto response = send(get(server.url()));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 302);
  EXPECT_EQ(response->header("location"), "http://127.0.0.1:1/");
}

TEST_F(CurlTransportTest, SpeaksOverAUnixSocket) {
  const auto path = std::filesystem::temp_directory_path() / fmt::format("windlass-curl-{}.sock", ::getpid());
  RawServer server(answering(kOk), path.string());
  auto request = get("http://docker/_ping");
  request.unix_socket = path.string();
  const auto response = send(request);
  std::filesystem::remove(path);
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "ok");
  EXPECT_EQ(response->peer, std::nullopt);
  const auto error = error_of(request);
  EXPECT_EQ(error.kind, Kind::unavailable);
}

TEST_F(CurlTransportTest, NamesTheSocketThatIsNotThere) {
  auto request = get("http://docker/_ping");
  request.unix_socket = "/nowhere/docker.sock";
  const auto error = error_of(request);
  EXPECT_EQ(error.kind, Kind::unavailable);
  EXPECT_EQ(error.message,
            "GET http://docker/_ping: cannot connect to /nowhere/docker.sock: no such file or directory");
}

TEST_F(CurlTransportTest, SpeaksThroughAChildAndKeepsIt) {
  HttpRequest request{.url = "http://127.0.0.1/x"};
  request.through = std::make_shared<const Command>(
      Command{.program = "/bin/sh",
              .arguments = {"-c",
                            "n=0; while read -r line; do case $line in GET*) n=$((n+1));; esac; [ ${#line} -gt 1 ] || "
                            "printf 'HTTP/1.1 200 OK\\r\\nContent-Length: 1\\r\\n\\r\\n%s' $n; done"},
              .environment = {{"PATH", "/usr/bin:/bin"}}});
  for (const auto* answer : {"1", "2", "3"}) {
    const auto response = transport.send(request, Deadline::in(5s));
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, answer) << "one child, one connection";
  }
}

TEST_F(CurlTransportTest, TellsTheLastWordsOfAChild) {
  const auto through = [](const std::string& program, const std::string& script) {
    return HttpRequest{
        .url = "http://127.0.0.1/x",
        .through = std::make_shared<const Command>(
            Command{.program = program, .arguments = {"-c", script}, .environment = {{"PATH", "/usr/bin:/bin"}}})};
  };
  const auto ended =
      transport.send(through("/bin/sh", "echo 'edge: Connection refused' >&2; exit 255"), Deadline::in(5s));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, Kind::unavailable);
  EXPECT_TRUE(ended.error().message.ends_with(": edge: Connection refused")) << ended.error().message;
  const auto missing = transport.send(through("/nowhere/ssh", ""), Deadline::in(5s));
  EXPECT_EQ(missing.error().kind, Kind::not_found);
  EXPECT_EQ(missing.error().message, "GET http://127.0.0.1/x: starting /nowhere/ssh: No such file or directory");
  const auto started = std::chrono::steady_clock::now();
  const auto silent = transport.send(through("/bin/sh", "echo hm >&2; sleep 100"), Deadline::in(100ms));
  EXPECT_EQ(silent.error().message, "GET http://127.0.0.1/x: deadline passed: hm");
  EXPECT_LT(std::chrono::steady_clock::now() - started, 5s);
}

// reliability/F44, F56, T3: what a peer may do wrong; the query never shows
TEST_F(CurlTransportTest, SaysWhatIsWrongWithAnAnswer) {
  const struct {
    std::string name, bytes;
    Kind kind;
    std::string message;
  } rows[] = {
      {"silence", "", Kind::unavailable, "no answer within 200 ms"},
      {"half a head", "HTTP/1.1 200 OK\r\nX-A", Kind::unavailable, "no answer within 200 ms"},
      {"stalls in the body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01", Kind::unavailable,
       "no data for 200 ms"},
      {"HTTP/0.9", "hello there, this is no status line\r\n\r\n", Kind::invalid, "Received HTTP/0.9 when not allowed"},
      {"header over the limit", "HTTP/1.1 200 OK\r\nX-A: " + std::string(70'000, 'a') + "\r\n\r\n", Kind::invalid,
       "answer headers are over 65536 bytes"},
      {"header over libcurl's limit", "HTTP/1.1 200 OK\r\nX-A: " + std::string(1'000'000, 'a') + "\r\n\r\n",
       Kind::invalid, "answer headers are over 65536 bytes"},
      {"body over the limit, said", "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + std::string(9999, 'a'),
       Kind::invalid, "answer is over 1000 bytes"},
      {"body over the limit, chunked",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n" + std::string(4096, 'a') + "\r\n", Kind::invalid,
       "answer is over 1000 bytes"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    RawServer server(answering(row.bytes));
    auto request = get(server.url("/x?token=secret"));
    request.body_bytes_max = 1000;
    const auto error = error_of(request);
    EXPECT_EQ(error.kind, row.kind);
    EXPECT_EQ(error.message, "GET " + server.url() + ": " + row.message);
  }
}

TEST_F(CurlTransportTest, RefusesTooManyHeadersAndEndlessInterimAnswers) {
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 201; ++i) many += "X: 1\r\n";
  RawServer headers(answering(many + "\r\n"));
  EXPECT_EQ(error_of(get(headers.url())).message, "GET " + headers.url() + ": answer has more than 200 headers");
  RawServer interim([](const Peer& peer) {
    peer.read_head();
    while (peer.write("HTTP/1.1 103 Early Hints\r\nX-A: 1\r\n\r\n")) {
    }
  });
  EXPECT_EQ(error_of(get(interim.url())).message, "GET " + interim.url() + ": answer headers are over 65536 bytes");
}

TEST_F(CurlTransportTest, TakesCutAnswersAsFaultsThatPass) {
  const std::string rows[] = {
      "",                                                              // closed without a byte
      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01",               // closed in the body
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",  // closed in a chunk
  };
  for (const auto& bytes : rows) {
    SCOPED_TRACE(bytes);
    RawServer cut([&](const Peer& peer) {
      peer.read_head();
      peer.write(bytes);
    });
    EXPECT_EQ(error_of(get(cut.url())).kind, Kind::unavailable);
    RawServer reset([&](const Peer& peer) {
      peer.read_head();
      peer.write(bytes);
      peer.reset();
    });
    EXPECT_EQ(error_of(get(reset.url())).kind, Kind::unavailable);
  }
}

TEST_F(CurlTransportTest, NamesARefusedConnection) {
  std::string url;
  {
    url = RawServer([](const Peer&) {}).url();
  }
  const auto error = error_of(get(url));
  EXPECT_EQ(error.kind, Kind::unavailable);
  EXPECT_EQ(error.message, "GET " + url + ": cannot connect: connection refused");
}

TEST_F(CurlTransportTest, GivesUpAtTheDeadlineAndAtOnceWhenStopped) {
  RawServer server(answering(""));
  auto request = get(server.url());
  request.header_timeout = 30s;
  auto begin = SteadyClock::now();
  auto response = transport.send(request, Deadline::in(100ms));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().message, "GET " + server.url() + ": deadline passed");
  EXPECT_LT(SteadyClock::now() - begin, 10s);

  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(50ms);
    stop.request_stop();
  });
  begin = SteadyClock::now();
  response = transport.send(request, Deadline::in(30s, stop.get_token()));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, Kind::unavailable);
  EXPECT_EQ(response.error().message, "GET " + server.url() + ": stopped");
  EXPECT_LT(SteadyClock::now() - begin, 10s);
}

// reliability/T6, T7: the address of the socket decides, also behind a name
TEST_F(CurlTransportTest, RefusesPrivateAddresses) {
  RawServer server([](const Peer& peer) {
    peer.read_head();
    peer.write(kOk);
  });
  for (auto host : {"127.0.0.1", "localhost"}) {
    auto request = get(server.url());
    request.url.replace(7, 9, host);
    ASSERT_TRUE(send(request));
    request.refuse_private_addresses = true;
    const auto error = error_of(request);
    EXPECT_EQ(error.kind, Kind::denied);
    EXPECT_EQ(error.message, "GET " + request.url + ": private address refused");
  }
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(CurlTransportTest, TellsWhereTheConnectionLed) {
  RawServer server([](const Peer& peer) {
    for (int i = 0; i < 2; ++i) {
      peer.read_head();
      peer.write(i == 0 ? kOk : "HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\ntoo long!");
    }
  });
  auto request = get(server.url());
  request.error_body_bytes_max = 3;
  for (int i = 0; i < 2; ++i) {  // then of a connection that was kept, and of an answer that is cut
    const auto response = send(request);
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->peer, AddressScope::loopback);
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(CurlTransportTest, RefusesLinkLocalAddressesAlways) {
  for (auto host : {"169.254.169.254", "2852039166", "[fe80::1]", "[::ffff:169.254.169.254]"}) {
    SCOPED_TRACE(host);
    const auto error = error_of(get(fmt::format("http://{}/latest", host)));
    EXPECT_EQ(error.kind, Kind::denied);
    EXPECT_TRUE(error.message.ends_with(": link-local address refused")) << error.message;
  }
}

TEST_F(CurlTransportTest, AsksALinkLocalAddressWhereThatIsMeant) {
  auto request = get("http://169.254.170.2/x");
  request.may_be_link_local = true;
  request.connect_timeout = 100ms;
  const auto response = send(request);
  EXPECT_TRUE(response || !response.error().message.ends_with(": link-local address refused"));
}

TEST_F(CurlTransportTest, RefusesOtherProtocolsAndForgedHeaders) {
  EXPECT_EQ(error_of(get("file:///etc/passwd")).message, "GET: URL must begin with http:// or https://");
  EXPECT_EQ(error_of(get("https://user:pass@r.example/")).message, "GET: URL must not carry a user name or password");
  auto request = get("http://127.0.0.1:1/");
  request.headers = {{"X-A", "1\r\nX-B: 2"}};
  EXPECT_EQ(error_of(request).message, "GET http://127.0.0.1:1/: header X-A holds a line break");
}

TEST_F(CurlTransportTest, NamesATlsPeerThatIsNone) {
  RawServer plain([](const Peer& peer) { peer.write("HTTP/1.1 400 Bad Request\r\n\r\n"); });
  auto request = get(plain.url());
  request.url.replace(0, 4, "https");
  const auto error = error_of(request);
  EXPECT_EQ(error.kind, Kind::unavailable);
  EXPECT_EQ(tls_fault_of(error), TlsFault::speaks_no_tls) << error.message;

  RawServer silent([](const Peer& peer) { peer.wait_for_end(); });
  request.url = silent.url().replace(0, 4, "https");
  request.connect_timeout = 200ms;
  EXPECT_EQ(error_of(request).message, "GET " + request.url + ": TLS handshake not finished within 200 ms");
}

HttpServer::Options showing(const TestCertificate& certificate) {
  auto options = RunningServer::quick();
  options.header_timeout = options.request_timeout = options.keep_alive_timeout = 5s;
  options.tls = *TlsIdentity::load(certificate.file(), certificate.key_file());
  return options;
}

// oci 6: a folder in which nobody has made hashed names
TEST_F(CurlTransportTest, TrustsWhatWasOnlyPutIntoAFolder) {
  const TestCertificate certificate("localhost"), other("localhost");
  RunningServer server(echo, showing(certificate));
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("windlass-curl-{}", new_uuid_v7());
  const auto trusting = [&](const TestCertificate& root, const char* name) {
    std::filesystem::create_directories(folder / name);
    std::filesystem::copy_file(root.file(), folder / name / "my-ca.crt");
    return CurlTransport::Options{.roots = find_trusted_roots({.file = "", .folders = folder / name}, {})};
  };
  HttpRequest request{.url = fmt::format("https://localhost:{}/x", server.port())};
  const auto refused = CurlTransport(trusting(other, "other")).send(request, Deadline::in(5s));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::denied) << refused.error().message;

  CurlTransport good(trusting(certificate, "good"));
  for (int i = 0; i < 2; ++i) {
    const auto response = good.send(request, Deadline::in(5s));
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, "GET /x [] none;");
  }
  request.tls.ca_file = other.file();
  EXPECT_FALSE(good.send(request, Deadline::in(5s))) << "a request's own root is the only one";
  std::filesystem::remove_all(folder);
}

// SSL_CERT_FILE, and a CA in the system's folder: what libcurl has read of a file alone it keeps for a day, and gives
// it to the next handshake with what was added before (CURLOPT_CA_CACHE_TIMEOUT).
TEST_F(CurlTransportTest, TrustsWhatWasOnlyPutIntoAFolderInEveryHandshake) {
  const TestCertificate certificate("localhost"), other("other");
  const auto options = showing(certificate);
  auto* const context = options.tls->context.get();
  ::SSL_CTX_set_num_tickets(context, 0);  // a session that is resumed would show no certificate
  RunningServer server(
      [](ServerRequest, Responder respond) {
        respond({.status = 200, .content_type = "text/plain", .body = "ok", .close = true});
      },
      options);
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("windlass-curl-{}", new_uuid_v7());
  std::filesystem::create_directories(folder);
  std::filesystem::copy_file(certificate.file(), folder / "my-ca.crt");
  const auto roots = find_trusted_roots({.file = other.file(), .folders = ""}, {.file = "", .folders = folder});
  std::filesystem::remove_all(folder);
  ASSERT_EQ(roots.for_libcurl.file, other.file());
  ASSERT_EQ(roots.for_libcurl.folders, "");
  ASSERT_EQ(roots.more.size(), 1u);

  const HttpRequest request{.url = fmt::format("https://localhost:{}/x", server.port())};
  CurlTransport first({.roots = roots}), second({.roots = roots});
  for (auto* each : {&first, &first, &second}) {
    const auto response = each->send(request, Deadline::in(5s));
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, "ok");
  }
  EXPECT_EQ(::SSL_CTX_sess_accept_good(context), 3) << "handshakes";
  EXPECT_EQ(::SSL_CTX_sess_hits(context), 0) << "sessions that were resumed";
}

TEST_F(CurlTransportTest, TalksToManyPeersAtOnce) {
  const auto serve = [](const Peer& peer) {
    while (!peer.read_head().empty()) peer.write(kOk);
  };
  RawServer a(serve), b(serve), c(serve);
  std::atomic<int> good = 0;
  {
    std::vector<std::jthread> threads;
    for (const auto* server : {&a, &b, &c})
      threads.emplace_back([&, server] {
        for (int i = 0; i < 50; ++i) good += send(get(server->url())).has_value();
      });
  }
  EXPECT_EQ(good, 150);
  EXPECT_EQ(a.connections() + b.connections() + c.connections(), 3);
}

}  // namespace
}  // namespace windlass
