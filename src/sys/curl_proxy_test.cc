// When a request goes through a proxy, and what is judged then.
#include <gtest/gtest.h>

#include <cstdlib>

#include "sys/curl_fixture.h"
#include "sys/tls_fault.h"

namespace windlass {
namespace {

using CurlProxyTest = CurlFixture;

// Where the proxy stands is the operator's business; what is behind it is judged by the URL alone.
TEST_F(CurlProxyTest, JudgesTheUrlAndNotTheProxysAddress) {
  RawServer proxy([](const Peer& peer) {
    peer.read_head();
    peer.write(kOk);
  });
  CurlTransport proxied(CurlTransport::Options{.proxy = {.http = proxy.url("")}});
  const auto ask = [&](const std::string& url) {
    auto request = get(url);
    request.refuse_private_addresses = true;
    const auto response = proxied.send(request, Deadline::in(5s));
    EXPECT_FALSE(response && response->peer);
    return response ? response->body : response.error().message;
  };
  EXPECT_EQ(ask("http://cdn.example/x"), "ok");
  EXPECT_EQ(ask("http://10.0.0.1/x"), "GET http://10.0.0.1/x: private address refused");
  EXPECT_EQ(ask("http://169.254.169.254/x"), "GET http://169.254.169.254/x: link-local address refused");
  EXPECT_EQ(proxy.connections(), 1);
}

// Else a request that counts as one through a proxy would be made without it, to an address that nobody judges.
TEST_F(CurlProxyTest, GoesThroughTheProxyWhateverLibcurlReadsInTheEnvironment) {
  RawServer proxy([](const Peer& peer) {
    peer.read_head();
    peer.write(kOk);
  });
  const ProxySettings settings{.http = proxy.url("")};
  for (const auto* exceptions : {"cdn.example", "x.example cdn.example", "*"}) {
    SCOPED_TRACE(exceptions);
    ::setenv("no_proxy", exceptions, 1);
    CurlTransport proxied(CurlTransport::Options{.proxy = settings});
    const auto response = proxied.send(get("http://cdn.example/x"), Deadline::in(5s));
    ::unsetenv("no_proxy");
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, "ok");
  }
  EXPECT_EQ(proxy.connections(), 3);
}

// "TLS handshake: " is said of the server alone: its operator is told to list what speaks plain HTTP as insecure.
TEST_F(CurlProxyTest, SaysThatAHandshakeMayHaveFailedWithTheProxy) {
  RawServer proxy([](const Peer& peer) { peer.write("HTTP/1.1 400 Bad Request\r\n\r\n"); });
  const auto url = proxy.url("");
  CurlTransport proxied(CurlTransport::Options{.proxy = {.https = "https" + url.substr(url.find("://"))}});
  const auto response = proxied.send(get("https://cdn.example/x"), Deadline::in(5s));
  ASSERT_FALSE(response);
  EXPECT_TRUE(
      response.error().message.starts_with("GET https://cdn.example/x: TLS handshake with the proxy or through it: "))
      << response.error().message;
  EXPECT_EQ(tls_fault_of(response.error()), TlsFault::none);
}

// reliability/P18: libcurl says what it does not understand, and that is the whole URL
TEST_F(CurlProxyTest, ShowsNothingOfAUrlThatIsNoProxys) {
  const auto error_through = [](const std::string& proxy) {
    CurlTransport proxied(CurlTransport::Options{.proxy = {.http = proxy}});
    const auto response = proxied.send(get("http://cdn.example/x"), Deadline::in(5s));
    return response ? "was answered" : response.error().message;
  };
  for (const std::string mark : {"#", "/", "?", "@", " "}) {
    SCOPED_TRACE(mark);
    EXPECT_EQ(error_through("http://pat:hunt" + mark + "er2@127.0.0.1:9"),
              "GET http://cdn.example/x: HTTP_PROXY or HTTPS_PROXY is not the URL of a proxy");
  }
  EXPECT_EQ(error_through("ftp://pat:hunter2@127.0.0.1:9"),
            "GET http://cdn.example/x: HTTP_PROXY or HTTPS_PROXY is not the URL of a proxy");
}

}  // namespace
}  // namespace windlass
