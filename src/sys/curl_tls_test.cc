#include <fmt/format.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <atomic>
#include <csignal>

#include "sys/curl_transport.h"
#include "sys/http_server_fixture.h"
#include "sys/raw_server.h"
#include "sys/test_certificate.h"
#include "sys/tls_fault.h"

namespace windlass {
namespace {

// Shows the certificate whatever it is worth; TlsIdentity::load() refuses a weak key.
TlsIdentity identity_of(const TestCertificate& certificate) {
  TlsIdentity identity;
  identity.context = {::SSL_CTX_new(::TLS_server_method()), ::SSL_CTX_free};
  ::SSL_CTX_set_security_level(identity.context.get(), 0);
  ::SSL_CTX_use_certificate_file(identity.context.get(), certificate.file().c_str(), SSL_FILETYPE_PEM);
  ::SSL_CTX_use_PrivateKey_file(identity.context.get(), certificate.key_file().c_str(), SSL_FILETYPE_PEM);
  return identity;
}

class CurlTlsTest : public testing::Test {
 protected:
  CurlTlsTest() { std::signal(SIGPIPE, SIG_IGN); }

  // The status, or the kind of the error and what it says behind the URL.
  std::string ask(const std::string& url, const std::string& ca_file) {
    HttpRequest request{.url = url};
    request.tls.ca_file = ca_file;
    const auto response = transport.send(request, Deadline::in(5s));
    fault = response ? TlsFault::none : tls_fault_of(response.error());
    if (response) return std::to_string(response->status);
    const auto& message = response.error().message;
    const auto prefix = "GET " + url + ": ";
    EXPECT_TRUE(message.starts_with(prefix)) << message;
    return fmt::format("{}: {}", to_string(response.error().kind),
                       message.substr(std::min(prefix.size(), message.size())));
  }

  CurlTransport transport{CurlTransport::Options{}};
  TlsFault fault = TlsFault::none;  // of the last error
};

// reliability/F53
TEST_F(CurlTlsTest, NamesWhatIsWrongWithACertificateAndAsksNothing) {
  const std::vector<std::string> ec{"ec", "-pkeyopt", "ec_paramgen_curve:P-256"};
  const std::vector<std::string> here{"-addext", "subjectAltName=IP:127.0.0.1"};
  const TestCertificate good("registry", ec, here), stranger("registry", ec, here),
      weak("registry", {"rsa:1024"}, here), elsewhere("registry", ec, {"-addext", "subjectAltName=DNS:other.example"});
  TestCertificate expired("registry", ec, here);
  expired.expire();
  const struct {
    const TestCertificate& shown;
    const TestCertificate& trusted;
    std::string told;  // and more: libcurl's versions end it in words of their own
  } rows[] = {
      {good, good, "200"},
      {good, stranger, "denied: SSL certificate problem: self-signed certificate"},
      {expired, expired, "denied: SSL certificate problem: certificate has expired"},
      {weak, weak, "denied: SSL certificate problem: EE certificate key too weak"},
      {elsewhere, elsewhere, "denied: SSL: no alternative certificate subject name matches target"},
  };
  for (const auto& [shown, trusted, told] : rows) {
    SCOPED_TRACE(told);
    std::atomic<int> asked = 0;
    auto options = RunningServer::quick();
    options.header_timeout = options.request_timeout = options.flush_timeout = 5s;
    options.tls = identity_of(shown);
    RunningServer server(
        [&](ServerRequest request, Responder respond) {
          ++asked;
          echo(std::move(request), std::move(respond));
        },
        options);
    const auto got = ask(fmt::format("https://127.0.0.1:{}/v2/", server.port()), trusted.file());
    EXPECT_TRUE(got.starts_with(told)) << got;
    EXPECT_EQ(fault, &shown == &trusted ? TlsFault::none : TlsFault::unknown_issuer) << got;
    EXPECT_EQ(asked, told == "200" ? 1 : 0);
  }
}

// reliability/F53
TEST_F(CurlTlsTest, NamesAHandshakeThatIsCutOff) {
  const auto read_greeting = [](const Peer& peer) {
    const auto head = peer.read_bytes(5);  // of the record that holds the ClientHello: its length comes last
    if (head.size() < 5) return;
    const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(head[i])); };
    peer.read_bytes(byte(3) << 8 | byte(4));
  };
  const RawServer::Serve cuts[] = {
      read_greeting,
      [&](const Peer& peer) {
        read_greeting(peer);
        peer.write(std::string_view("\x16\x03\x03\x00\x7a\x02\x00\x00", 8));  // the beginning of an answer
      },
  };
  for (const auto& cut : cuts) {
    RawServer server(cut);
    EXPECT_EQ(ask(server.url().replace(0, 4, "https"), ""), "unavailable: TLS handshake cut off by the peer");
    EXPECT_EQ(fault, TlsFault::none);
  }
  RawServer server([&](const Peer& peer) {
    read_greeting(peer);
    peer.reset();
  });
  const auto told = ask(server.url().replace(0, 4, "https"), "");
  EXPECT_TRUE(told.starts_with("unavailable: TLS handshake")) << told;
}

}  // namespace
}  // namespace windlass
