#include "sys/memory.h"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "base/text.h"
#include "sys/files.h"

namespace windlass {
namespace {

constexpr std::size_t kMapsBytesMax = 4 << 20;
constexpr unsigned long kLargeBytes = 48 << 20;
constexpr int kKeptBytes = 1 << 20;

// proc_pid_maps(5). Program code is mapped from a file, private, and never written to: what is dropped can be read
// again.
void release_if_code(std::string_view line) {
  std::uintptr_t begin = 0, end = 0;
  unsigned long inode = 0;
  char permissions[5] = {};
  const std::string text(line);
  const int found =
      std::sscanf(text.c_str(), "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %lu", &begin, &end, permissions, &inode);
  if (found != 4 || inode == 0 || std::strcmp(permissions, "r-xp") != 0) return;
  ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);  // NOLINT(performance-no-int-to-ptr): of maps
}

}  // namespace

void release_start_memory() {
  ::malloc_trim(0);
  const auto maps = read_file("/proc/self/maps", kMapsBytesMax);
  if (!maps) return;
  for (const auto line : split(*maps, '\n')) release_if_code(line);
}

void keep_little_memory() {
  ::mallopt(M_MMAP_THRESHOLD, kKeptBytes);
  ::mallopt(M_TRIM_THRESHOLD, kKeptBytes);
}

void release_job_memory() {
  const auto statm = read_file("/proc/self/statm", 4096);
  unsigned long pages = 0;
  if (!statm || std::sscanf(statm->c_str(), "%*u %lu", &pages) != 1) return;
  if (pages * static_cast<unsigned long>(::sysconf(_SC_PAGESIZE)) > kLargeBytes) ::malloc_trim(0);
}

}  // namespace windlass
