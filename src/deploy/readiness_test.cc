#include "deploy/readiness.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

using State = Readiness::State;

// deploy/C12
TEST(Readiness, IsJudgedFromWhatTheEngineShows) {
  struct Row {
    ContainerDetail container;
    State state;
    std::string_view reason;
  };
  const Row rows[] = {
      {{.state = "created"}, State::waiting, "not started yet"},
      {{.state = "created", .error = "no such device\n"}, State::failed, "could not be started: no such device"},
      {{.state = "running"}, State::steadying, "started only just now"},
      {{.state = "running", .health = Health::healthy}, State::ready, ""},
      {{.state = "running", .health = Health::unhealthy}, State::failed, "is unhealthy"},
      {{.state = "running", .health = Health::unhealthy, .checks = {.output = "no\x1b\n"}},
       State::failed,
       "is unhealthy: no\\x1b"},
      {{.state = "paused"}, State::waiting, "paused"},
      {{.state = "removing"}, State::waiting, "removing"},
      {{.state = "exited", .restart_policy = ""}, State::ready, ""},
      {{.state = "exited", .restart_policy = "no"}, State::ready, ""},
      {{.state = "exited", .restart_policy = "on-failure"}, State::ready, ""},
      {{.state = "exited", .restart_policy = "always"}, State::failed, "exited with code 0"},
      {{.state = "exited", .restart_policy = "unless-stopped"}, State::failed, "exited with code 0"},
      {{.state = "exited", .exit_code = 3, .restart_policy = "no"}, State::failed, "exited with code 3"},
      {{.state = "exited", .exit_code = 127, .error = "no such file"},
       State::failed,
       "exited with code 127: no such file"},
      {{.state = "exited", .exit_code = 137, .oom_killed = true}, State::failed, "ran out of memory, exit code 137"},
      {{.state = "restarting", .exit_code = 1}, State::failed, "keeps restarting, exit code 1"},
      {{.state = "restarting", .exit_code = 137, .oom_killed = true},
       State::failed,
       "keeps restarting, exit code 137 (out of memory)"},
      {{.state = "dead"}, State::failed, "is dead"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.container.state + " " + std::string(row.reason));
    const auto readiness = judge(row.container, {});
    EXPECT_EQ(readiness.state, row.state);
    EXPECT_EQ(readiness.reason, row.reason);
  }
}

TEST(Readiness, SaysWhatAHealthCheckLacks) {
  const std::pair<HealthChecks, std::string_view> rows[] = {
      {{}, "still starting, no health check has ended yet"},
      {{.exit_code = 1, .output = "connection refused\n", .failures = 3, .retries = 10},
       "health check failing, 3 of 10 tries (exit 1: \"connection refused\")"},
      {{.exit_code = 7, .output = "  0  100\rcurl: (7) no\x1b\r\n\n", .failures = 1, .retries = 3},
       "health check failing, 1 of 3 tries (exit 7: \"curl: (7) no\\x1b\")"},
      {{.exit_code = 1, .retries = 3}, "health check failing in its start period (exit 1)"},
      {{.exit_code = -1, .output = "Health check exceeded timeout (5s)", .failures = 1, .retries = 3},
       "health check failing, 1 of 3 tries (\"Health check exceeded timeout (5s)\")"},
      {{.exit_code = -1, .failures = 1, .retries = 3}, "health check failing, 1 of 3 tries (it could not run)"},
  };
  for (const auto& [checks, reason] : rows) {
    SCOPED_TRACE(reason);
    const auto readiness = judge({.state = "running", .health = Health::starting, .checks = checks}, {});
    EXPECT_EQ(readiness.state, State::waiting);
    EXPECT_EQ(readiness.reason, reason);
  }
}

TEST(Readiness, IsLostByARestart) {
  const auto readiness = judge({.state = "running"}, {.restarted = true, .last_exit_code = 7});
  EXPECT_EQ(readiness.state, State::failed);
  EXPECT_EQ(readiness.reason, "keeps restarting, exit code 7");
  EXPECT_EQ(judge({.state = "running"}, {.restarted = true}).reason, "keeps restarting") << "nobody heard of its end";
}

}  // namespace
}  // namespace windlass
