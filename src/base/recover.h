// What a step of a background thread throws costs that step, not the process: out of memory, out of threads, our bug.
#pragma once

#include <exception>
#include <string_view>

#include "base/log.h"

namespace windlass {

// A line in the log, if there is memory for one.
inline void tell_of_panic(const Log& log, std::string_view context, std::string_view what) noexcept {
  try {
    log.error("recovered from panic in background task", {{"context", context}, {"panic", what}});
  } catch (...) {
  }
}

// False, and a line in the log, if the step ended by an exception.
template <class Step>
bool recovered(const Log& log, std::string_view context, Step&& step) noexcept {
  try {
    step();
    return true;
  } catch (const std::exception& error) {
    tell_of_panic(log, context, error.what());
  } catch (...) {
    tell_of_panic(log, context, "unknown exception");
  }
  return false;
}

}  // namespace windlass
