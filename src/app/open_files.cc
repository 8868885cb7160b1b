#include "app/open_files.h"

#include <sys/resource.h>

#include <algorithm>

namespace windlass {
namespace {

constexpr rlim_t kOpenFilesMax = 65'536;
constexpr std::size_t kConnectionsMax = 16'384;
constexpr std::size_t kTlsConnectionsMax = 1'024;  // of up to 100 KiB each, before anybody has shown a signature
constexpr std::size_t kKeptForJobs = 512;          // state file, pulls, live directories, pipes of compose

}  // namespace

std::size_t raise_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return kKeptForJobs;
  const auto before = limit.rlim_cur;
  limit.rlim_cur = std::min(limit.rlim_max, kOpenFilesMax);
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : std::min(before, kOpenFilesMax);
}

std::size_t connections_within(std::size_t open_files, bool is_tls) {
  const auto kept = std::min(kKeptForJobs, open_files / 2);
  return std::min(is_tls ? kTlsConnectionsMax : kConnectionsMax, open_files - kept);
}

}  // namespace windlass
