#include "sys/url.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <utility>

#include "sys/proxy.h"

namespace windlass {
namespace {

TEST(Url, IsTakenApart) {
  const auto url = parse_url("https://Reg.Example:8443/v2/a/blobs/x?token=secret&b=1");
  ASSERT_TRUE(url) << url.error().message;
  EXPECT_EQ(url->scheme, "https");
  EXPECT_EQ(url->host_port(), "reg.example:8443");
  EXPECT_EQ(url->path, "/v2/a/blobs/x");
  EXPECT_EQ(url->str(), "https://reg.example:8443/v2/a/blobs/x?token=secret&b=1");
  EXPECT_EQ(url->shown(), "https://reg.example:8443/v2/a/blobs/x");
}

TEST(Url, FillsInThePortAndUnmasksNumbers) {
  const struct {
    const char *text, *host_port, *shown;
  } rows[] = {
      {"https://r.example", "r.example:443", "https://r.example/"},
      {"http://r.example/x", "r.example:80", "http://r.example/x"},
      {"http://r.example:443/x", "r.example:443", "http://r.example:443/x"},
      {"http://[::1]:5000/v2/", "[::1]:5000", "http://[::1]:5000/v2/"},
      {"http://2852039166/x", "169.254.169.254:80", "http://169.254.169.254/x"},
      {"http://0xa9.0376.43518/x", "169.254.169.254:80", "http://169.254.169.254/x"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.text);
    const auto url = parse_url(row.text);
    ASSERT_TRUE(url) << url.error().message;
    EXPECT_EQ(url->host_port(), row.host_port);
    EXPECT_EQ(url->shown(), row.shown);
  }
}

TEST(Url, SaysWhyItRefusesText) {
  const std::pair<std::string, std::string> rows[] = {
      {"file:///etc/passwd", "URL must begin with http:// or https://"},
      {"ftp://r.example/x", "URL must begin with http:// or https://"},
      {"https://user:pass@r.example/", "URL must not carry a user name or password"},
      {"https://user@r.example/", "URL must not carry a user name or password"},
      {"https://r.example/a b", "URL holds a control byte or a space"},
      {"https://r.example/\r\nX: y", "URL holds a control byte or a space"},
      {std::string("https://r.example/\0", 19), "URL holds a control byte or a space"},
  };
  for (const auto& [text, message] : rows) {
    SCOPED_TRACE(text);
    const auto url = parse_url(text);
    ASSERT_FALSE(url) << "was accepted";
    EXPECT_EQ(url.error().message, message);
  }
  EXPECT_FALSE(parse_url(""));
  EXPECT_FALSE(parse_url("https://r.example:99999/"));
}

TEST(Url, ResolvesALocation) {
  const auto base = parse_url("https://r.example:8443/v2/a/blobs/x?q=1");
  ASSERT_TRUE(base);
  const std::pair<const char*, const char*> rows[] = {
      {"/other?y=2", "https://r.example:8443/other?y=2"},
      {"y", "https://r.example:8443/v2/a/blobs/y"},
      {"//cdn.example/y", "https://cdn.example/y"},
      {"http://cdn.example/y", "http://cdn.example/y"},
  };
  for (const auto& [location, want] : rows) {
    SCOPED_TRACE(location);
    const auto url = resolve_url(*base, location);
    ASSERT_TRUE(url) << url.error().message;
    EXPECT_EQ(url->str(), want);
  }
  EXPECT_FALSE(resolve_url(*base, "file:///etc/passwd"));
}

// oci 3.4
TEST(ProxySettings, AreThoseOfTheEnvironment) {  // oci 3.4
  const std::pair<const char*, const char*> given[] = {{"http_proxy", "http://lower"},
                                                       {"HTTP_PROXY", "http://upper"},
                                                       {"HTTPS_PROXY", "http://u:p@secure"},
                                                       {"no_proxy", "a.example"},
                                                       {"NO_PROXY", "b.example"}};
  ::unsetenv("https_proxy");
  for (const auto& [name, value] : given) ::setenv(name, value, 1);
  const auto settings = ProxySettings::from_environment();
  for (const auto& [name, value] : given) ::unsetenv(name);
  EXPECT_EQ(settings.http, "http://lower");
  EXPECT_EQ(settings.https, "http://u:p@secure");
  EXPECT_EQ(settings.exceptions, "a.example");
}

TEST(ProxySettings, KnowTheUrlOfAProxy) {
  for (const auto* url :
       {"proxy", "proxy:3128", "http://proxy:3128/", "https://pat:h%2F%3F%23%40%20@proxy:3128", "socks5h://[::1]:1080",
        "socks://127.0.0.1:1080", "http://pat@proxy_1:3128", "http://pat:h:2;[]@10.0.0.1:3128"})
    EXPECT_TRUE(is_proxy_url(url)) << url;
  for (const auto* url :
       {"", "http://", "http://pat:hunter2@", "http://proxy:99999", "ftp://proxy:3128", "http://pat:hunt/er2@proxy:1",
        "http://pat:1/er2@proxy:1", "http://hunt?er2@proxy:1", "hunt#er2@proxy:1", "http://pat:hunt@er2@proxy:1",
        "http://pat:hunt er2@proxy:1", "http://pat:hunt%00er2@proxy:1", "http://pat:hunt%0Aer2@proxy:1"})
    EXPECT_FALSE(is_proxy_url(url)) << url;
}

TEST(ProxySettings, HaveExceptionsBetweenCommasAndSpaces) {
  const auto direct = parse_url("https://r.example/");
  for (const auto* exceptions : {"r.example", "a.example,r.example", "a.example r.example", "r.example\tb.example",
                                 " a.example ,  r.example  b.example "})
    EXPECT_EQ((ProxySettings{.https = "http://p", .exceptions = exceptions}.proxy_for(*direct)), "") << exceptions;
  EXPECT_EQ((ProxySettings{.https = "http://p", .exceptions = "a.example b.example"}.proxy_for(*direct)), "http://p");
}

TEST(ProxySettings, ChoosesByHost) {
  const ProxySettings settings{.http = "http://proxy:1",
                               .https = "http://proxy:2",
                               .exceptions = "corp.example, .sub.example,10.0.0.0/9,r.example:5000,fd00::/8,::5"};
  const std::pair<const char*, const char*> rows[] = {
      {"http://r.example/", "http://proxy:1"},
      {"https://r.example/", "http://proxy:2"},
      {"https://r.example:5000/", ""},
      {"https://corp.example/", ""},
      {"https://a.corp.example/", ""},
      {"https://xcorp.example/", "http://proxy:2"},
      {"https://sub.example/", "http://proxy:2"},
      {"https://a.sub.example/", ""},
      {"https://10.127.1.1/", ""},
      {"https://10.128.1.1/", "http://proxy:2"},
      {"https://[fd12::1]/", ""},
      {"https://[::5]/", ""},
      {"https://[fe00::1]/", "http://proxy:2"},
      {"https://localhost:5000/", ""},
      {"http://127.0.0.1:5000/", ""},
      {"http://[::1]:5000/", ""},
  };
  for (const auto& [text, proxy] : rows) {
    SCOPED_TRACE(text);
    const auto url = parse_url(text);
    ASSERT_TRUE(url);
    EXPECT_EQ(settings.proxy_for(*url), proxy);
  }
  const auto url = parse_url("https://r.example/");
  EXPECT_EQ((ProxySettings{.https = "http://p", .exceptions = "*"}.proxy_for(*url)), "");
  EXPECT_EQ(ProxySettings{}.proxy_for(*url), "");
}

}  // namespace
}  // namespace windlass
