#include "jobs/run_phases.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

TEST(RunPhases, TellWhatAJobDoes) {
  RunPhases phases;
  EXPECT_EQ(phases.of("1"), "");
  phases.phase_changed("1", "", "fetching the artifact");
  EXPECT_EQ(phases.of("1"), "fetching the artifact");
  phases.phase_changed("1", "", "");
  phases.phase_changed("1", "web", "pulling images");
  phases.phase_changed("1", "db", "resolving model");
  phases.phase_changed("1", "web", "creating services");
  phases.phase_changed("2", "side", "pulling images");
  EXPECT_EQ(phases.of("1"), "db: resolving model; web: creating services");
  phases.phase_changed("1", "db", "");
  EXPECT_EQ(phases.of("1"), "web: creating services");
  phases.job_ended({}, {.job_id = "1"}, {});
  EXPECT_EQ(phases.of("1"), "");
  EXPECT_EQ(phases.of("2"), "side: pulling images");
}

}  // namespace
}  // namespace windlass
