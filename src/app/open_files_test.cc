#include "app/open_files.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>

namespace windlass {
namespace {

TEST(OpenFiles, LeavesSomeForJobs) {
  struct Case {
    std::size_t open_files, connections;
  };
  for (const auto& [open_files, connections] :
       {Case{65'536, 16'384}, {16'896, 16'384}, {16'895, 16'383}, {4'096, 3'584}, {1'024, 512}, {100, 50}})
    EXPECT_EQ(connections_within(open_files), connections) << open_files;
  EXPECT_EQ(connections_within(65'536, true), 1'024u) << "TLS takes memory";
}

TEST(OpenFiles, AreAsManyAsTheSystemAllows) {
  const auto raised = raise_open_files();
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(raised, limit.rlim_cur);
  EXPECT_EQ(raised, std::min<rlim_t>(limit.rlim_max, 65'536));
}

}  // namespace
}  // namespace windlass
