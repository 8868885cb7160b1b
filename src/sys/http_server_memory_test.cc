// The HTTP server when memory runs out: allocations of its thread fail, one alone or some in a row, each in its turn.
#include <gtest/gtest.h>

#include <charconv>
#include <cstdlib>
#include <new>

#include "base/text.h"
#include "sys/http_server.h"
#include "sys/http_server_fixture.h"

namespace {
// Of this thread: so many allocations succeed, then so many fail.
thread_local int good_ones = 0;
thread_local int bad_ones = 0;
}  // namespace

void* operator new(std::size_t size) {
  if (bad_ones > 0 && good_ones-- <= 0) {
    --bad_ones;
    throw std::bad_alloc();
  }
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace windlass {
namespace {

// "/7/2": seven allocations from now on succeed, then two fail.
void obey(ServerRequest request, Responder respond) {
  int good = 0, bad = 0;
  const auto parts = split(request.path, '/');
  const auto read = [&](std::string_view text, int& number) {
    std::from_chars(text.data(), text.data() + text.size(), number);
  };
  if (parts.size() == 3) {
    read(parts[1], good);
    read(parts[2], bad);
  }
  respond({.status = 200, .content_type = "text/plain", .body = "done;"});
  good_ones = good;
  bad_ones = bad;
}

TEST(HttpServerMemory, LosesAConnectionAndNotTheService) {
  RunningServer server(obey);
  for (const int bad : {1, 2, 5})
    for (int good = 0; good < 60; ++good) {
      const auto path = "/" + std::to_string(good) + "/" + std::to_string(bad);
      SCOPED_TRACE(path);
      server.exchange("GET " + path + " HTTP/1.0\r\n\r\n");
      for (int i = 0; i < 6; ++i) server.exchange("GET /x HTTP/1.0\r\n\r\n");  // some of these fail
      ASSERT_EQ(body_of(server.exchange("GET /x HTTP/1.0\r\n\r\n")), "done;");
      if (good % 10 != 0) continue;
      RawClient silent(server.port());
      ASSERT_TRUE(silent.is_ended()) << "time-outs are kept";
    }
}

}  // namespace
}  // namespace windlass
