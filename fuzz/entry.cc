#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "base/text.h"
#include "fuzz/fuzz.h"

namespace windlass {
namespace {

constexpr std::size_t kMessageBytesMax = 8192;

}  // namespace

void require(bool holds, std::string_view rule) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: broken rule: %.*s\n", static_cast<int>(rule.size()), rule.data());
  std::abort();
}

void require_printable(std::string_view message) {
  require(!message.empty(), "an error says something");
  require(message.size() <= kMessageBytesMax, "a message is bounded");
  require(is_valid_utf8(message), "a message is UTF-8");
  require(std::none_of(message.begin(), message.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }),
          "a message has no control bytes");
}

}  // namespace windlass

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  windlass::fuzz({reinterpret_cast<const char*>(data), size});
  return 0;
}
