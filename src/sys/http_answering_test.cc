// How the server treats answers that come late, never, or to nobody, and how it stops.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>

#include "sys/http_server_fixture.h"

namespace windlass {
namespace {

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

}  // namespace
}  // namespace windlass
