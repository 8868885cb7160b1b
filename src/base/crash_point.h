// Named steps at which a test can kill the process: WINDLASS_CRASH_AT=<step> (reliability 3.1).
//
// SIGKILL, not abort(): nothing may be flushed, closed or cleaned up, as when the power goes. Only in builds configured
// with WINDLASS_CRASH_STEPS; everywhere else a step compiles to nothing.
#pragma once

#include <string_view>

#ifdef WINDLASS_CRASH_STEPS
#include <csignal>
#include <cstdlib>
#endif

namespace windlass {

#ifdef WINDLASS_CRASH_STEPS
inline void crash_point(std::string_view step) {
  static const char* const at = std::getenv("WINDLASS_CRASH_AT");
  if (at != nullptr && step == at) std::raise(SIGKILL);
}
#else
inline void crash_point(std::string_view) {}
#endif

}  // namespace windlass
