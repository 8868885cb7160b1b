#include "sys/memory.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <charconv>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "sys/crypto.h"
#include "sys/files.h"

namespace windlass {
namespace {

// Of files mapped into this process, in KiB (proc_pid_status(5)).
long resident_file_kib() {
  const auto status = read_file("/proc/self/status", 1 << 20).value_or("");
  const auto at = status.find_first_of("0123456789", status.find("RssFile:"));
  long kib = 0;
  std::from_chars(status.data() + at, status.data() + status.size(), kib);
  return kib;
}

TEST(ReleaseStartMemory, LetsCodeGoThatStillWorksAfterwards) {
  const auto hash = sha256_hex("text");
  const auto before = resident_file_kib();
  release_start_memory();
  EXPECT_LT(resident_file_kib(), before);
  EXPECT_EQ(sha256_hex("text"), hash);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // which have allocators of their own

std::size_t resident_kib() {
  const auto statm = read_file("/proc/self/statm", 4096).value();
  return std::stoul(statm.substr(statm.find(' '))) * 4;
}

// As much as a large job needs, on a thread of its own as jobs have it. 0 if it goes back.
int run_a_large_job() {
  keep_little_memory();
  const auto before = resident_kib();
  std::size_t at_most = 0;
  std::thread([&] {
    { const std::string large(40 << 20, 'x'); }  // after this the allocator would keep 80 MB by itself
    std::vector<std::string> small(60'000, std::string(1000, 'x'));
    at_most = resident_kib();
  }).join();
  release_job_memory();
  const auto after = resident_kib();
  fmt::print(stderr, "KiB before: {}, at most: {}, after: {}\n", before, at_most, after);
  const bool was_large = at_most > after + (50 << 10);  // not `before`, which holds what the job found free
  return was_large && after < before + (8 << 10) ? 0 : 1;
}

// In a process of its own: threads that other tests left behind have allocator arenas too.
TEST(MemoryDeathTest, OfALargeJobGoesBack) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(std::exit(run_a_large_job()), testing::ExitedWithCode(0), "");
}

#endif

}  // namespace
}  // namespace windlass
