// Named steps at which a test can kill the process: WINDLASS_CRASH_AT=<step>, or <step>:<n> for the n-th time it is
// reached (reliability 3.1). With WINDLASS_CRASH_MARK=<file> it kills one process only, of all that have these
// variables: the one that makes the file.
//
// SIGKILL, not abort(): nothing may be flushed, closed or cleaned up, as when the power goes. Only in builds configured
// with WINDLASS_CRASH_STEPS; everywhere else a step compiles to nothing.
#pragma once

#include <string_view>

#ifdef WINDLASS_CRASH_STEPS
#include <fcntl.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#endif

namespace windlass {

#ifdef WINDLASS_CRASH_STEPS
inline void crash_point(std::string_view step) {
  const char* const wanted = std::getenv("WINDLASS_CRASH_AT");
  if (wanted == nullptr) return;
  static std::atomic<int> times_reached = 0;
  const std::string_view at = wanted;
  const auto colon = at.find(':');
  if (step != at.substr(0, colon)) return;
  if (++times_reached < (colon == at.npos ? 1 : std::atoi(wanted + colon + 1))) return;
  const char* const mark = std::getenv("WINDLASS_CRASH_MARK");
  if (mark == nullptr || ::open(mark, O_CREAT | O_EXCL | O_CLOEXEC, 0600) >= 0) std::raise(SIGKILL);
}
#else
inline void crash_point(std::string_view) {}
#endif

}  // namespace windlass
