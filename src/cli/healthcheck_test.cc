#include "cli/healthcheck.h"

#include <gtest/gtest.h>

#include "sys/fake_http.h"

namespace windlass {
namespace {

const Log kQuiet({.level = LogLevel::critical, .file_descriptor = -1});

TEST(Healthcheck, AsksThePortAndSchemeOfTheSettings) {  // api/L2
  FakeTransport transport;
  transport.answer = [](const HttpRequest&) { return HttpResponse{.status = 200}; };
  EXPECT_EQ(healthcheck({}, transport, kQuiet), 0);
  EXPECT_EQ(healthcheck({{"HTTP_PORT", "8443"}, {"HTTP_TLS_CERT_FILE", "/c.pem"}}, transport, kQuiet), 0);
  EXPECT_EQ(transport.asked.at(0).url, "http://localhost:80/v1/health");
  EXPECT_EQ(transport.asked.at(1).url, "https://localhost:8443/v1/health");
  EXPECT_FALSE(transport.asked.at(1).tls.verify);
}

TEST(Healthcheck, FailsOnAnyOtherAnswer) {
  FakeTransport transport;
  transport.answer = [](const HttpRequest&) { return HttpResponse{.status = 503}; };
  EXPECT_EQ(healthcheck({{"LOG_LEVEL", "nonsense"}}, transport, kQuiet), 1);
  transport.answer = [](const HttpRequest&) -> Result<HttpResponse> { return fail(Kind::unavailable, "refused"); };
  EXPECT_EQ(healthcheck({}, transport, kQuiet), 1);
}

}  // namespace
}  // namespace windlass
