// The HTTP server when memory runs out: one allocation of its thread fails, each in its turn.
#include <gtest/gtest.h>

#include <charconv>
#include <cstdlib>
#include <new>

#include "sys/http_server.h"
#include "sys/http_server_fixture.h"

namespace {
thread_local int allocations_left = -1;  // of this thread until one fails; negative: none does
}

void* operator new(std::size_t size) {
  if (allocations_left >= 0 && allocations_left-- == 0) throw std::bad_alloc();
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace windlass {
namespace {

// "/7": the seventh allocation from now on fails.
void obey(ServerRequest request, Responder respond) {
  const auto number = std::string_view(request.path).substr(1);
  int left = -1;
  std::from_chars(number.data(), number.data() + number.size(), left);
  respond({.status = 200, .content_type = "text/plain", .body = "done;"});
  allocations_left = left;
}

TEST(HttpServerMemory, LosesAConnectionAndNotTheService) {
  RunningServer server(obey);
  for (int left = 0; left < 60; ++left) {
    SCOPED_TRACE(left);
    server.exchange("GET /" + std::to_string(left) + " HTTP/1.0\r\n\r\n");
    for (int i = 0; i < 6; ++i) server.exchange("GET /x HTTP/1.0\r\n\r\n");  // one of these fails
    ASSERT_EQ(body_of(server.exchange("GET /x HTTP/1.0\r\n\r\n")), "done;");
    if (left % 5 != 0) continue;
    RawClient silent(server.port());
    ASSERT_TRUE(silent.is_ended()) << "time-outs are kept";
  }
}

}  // namespace
}  // namespace windlass
