#include "sys/memory.h"

#include <gtest/gtest.h>

#include <charconv>

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

}  // namespace
}  // namespace windlass
