#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

namespace windlass {
namespace {

using namespace std::chrono_literals;

constexpr auto kPause = 100ms;
constexpr std::string_view kOverwrite = "\r\x1b[K";  // to the start of the line, and away with what stood there

}  // namespace

Progress::Progress(int file_descriptor, bool quiet)
    : file_descriptor_(file_descriptor), is_quiet_(quiet), is_terminal_(::isatty(file_descriptor) == 1) {}

void Progress::write(std::string_view text) const {
  while (!text.empty()) {
    const auto written = ::write(file_descriptor_, text.data(), text.size());
    if (written <= 0) return;  // nobody reads: the work goes on
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void Progress::say(std::string_view line) {
  if (is_quiet_) return;
  write(fmt::format("{}{}\n", has_line_ ? kOverwrite : "", line));
  has_line_ = false;
}

void Progress::update(std::string_view what, std::uint64_t done_bytes, std::uint64_t all_bytes) {
  const auto now = std::chrono::steady_clock::now();
  if (is_quiet_ || !is_terminal_ || now - shown_ < kPause) return;
  shown_ = now;
  has_line_ = true;
  write(fmt::format("{}{}  {} of {}", kOverwrite, what, shown_bytes(done_bytes), shown_bytes(all_bytes)));
}

std::string shown_bytes(std::uint64_t bytes) {
  if (bytes < 1'000) return fmt::format("{} bytes", bytes);
  const double number = static_cast<double>(bytes);
  if (bytes < 1'000'000) return fmt::format("{:.1f} kB", number / 1e3);
  return bytes < 1'000'000'000 ? fmt::format("{:.1f} MB", number / 1e6) : fmt::format("{:.1f} GB", number / 1e9);
}

}  // namespace windlass
