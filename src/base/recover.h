// What a step of a background thread throws costs that step, not the process: out of memory, out of threads, our bug.
#pragma once

#include <exception>
#include <string_view>

#include "base/log.h"

namespace windlass {

// False, and a line in the log, if the step ended by an exception.
template <class Step>
bool recovered(const Log& log, std::string_view context, Step&& step) {
  try {
    step();
    return true;
  } catch (const std::exception& error) {
    log.error("recovered from panic in background task", {{"context", context}, {"panic", error.what()}});
  } catch (...) {
    log.error("recovered from panic in background task", {{"context", context}, {"panic", "unknown exception"}});
  }
  return false;
}

}  // namespace windlass
