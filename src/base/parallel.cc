#include "base/parallel.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <system_error>
#include <thread>

namespace windlass {
namespace {

Status guarded(const std::function<Status(std::size_t)>& work, std::size_t index) {
  try {
    return work(index);
  } catch (const std::exception& error) {
    return fail(Kind::unavailable, fmt::format("ended by an exception: {}", error.what()));
  }
}

}  // namespace

std::vector<Status> for_each_index(std::size_t count, std::size_t threads,
                                   const std::function<Status(std::size_t)>& work) {
  std::vector<Status> results(count);
  std::atomic<std::size_t> next = 0;
  const auto take = [&] {
    for (auto index = next++; index < count; index = next++) results[index] = guarded(work, index);
  };
  std::vector<std::jthread> helpers;
  helpers.reserve(std::min(count, threads));
  try {
    for (std::size_t i = 1; i < std::min(count, threads); ++i) helpers.emplace_back(take);
  } catch (const std::system_error&) {  // no further thread: those that are there do it all
  }
  take();
  helpers.clear();  // all have ended
  return results;
}

std::vector<Status> side_by_side(const std::vector<std::function<Status()>>& steps) {
  return for_each_index(steps.size(), steps.size(), [&](std::size_t index) { return steps[index](); });
}

}  // namespace windlass
