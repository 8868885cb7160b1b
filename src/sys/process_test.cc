#include "sys/process.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

namespace windlass {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

constexpr auto kSoon = 10s;  // far above what a run that does not hang needs here

Command shell(std::string script) {
  return {.program = "sh", .arguments = {"-c", std::move(script)}, .environment = {{"PATH", "/usr/bin:/bin"}}};
}

Exit run(const Command& command, const Deadline& deadline = Deadline::in(20s)) {
  auto exit = make_process_runner({.grace = 200ms})->run(command, deadline);
  EXPECT_TRUE(exit) << exit.error().message;
  return exit ? *exit : Exit{.code = -1};
}

// Ended, whether or not init has noticed yet.
bool is_gone(const std::string& pid) {
  for (int tries = 0; tries < 100; ++tries, std::this_thread::sleep_for(10ms)) {
    std::ifstream file(fmt::format("/proc/{}/stat", std::stoi(pid)));
    std::string id, name, state;
    if (!(file >> id >> name >> state) || state == "Z") return true;
  }
  return false;
}

TEST(ProcessRunner, GivesExitCodeAndBothStreams) {
  const auto exit = run(shell("echo out; echo err >&2; exit 7"));
  EXPECT_EQ(exit.code, 7);
  EXPECT_EQ(exit.signal, 0);
  EXPECT_FALSE(exit.timed_out);
  EXPECT_EQ(exit.out, "out\n");
  EXPECT_EQ(exit.err, "err\n");
}

TEST(ProcessRunner, PassesArgumentsAsTheyAre) {
  const auto exit = run({.program = "/usr/bin/printf", .arguments = {"<%s>", "a b", "$(id)", "", "-n"}});
  EXPECT_EQ(exit.out, "<a b><$(id)><><-n>");
}

// deploy/X12
TEST(ProcessRunner, GivesTheChildItsEnvironmentAndNothingElse) {
  setenv("WINDLASS_TEST_SECRET", "x", 1);
  const auto exit = run({.program = "env", .environment = {{"PATH", "/usr/bin:/bin"}, {"A", "1 2\n3"}}});
  EXPECT_EQ(exit.out, "A=1 2\n3\nPATH=/usr/bin:/bin\n");
}

TEST(ProcessRunner, GivesTheInputAndOtherwiseAnEmptyOne) {
  auto command = shell("wc -c");
  EXPECT_EQ(run(command).out, "0\n");
  command.input = std::string(3 << 20, 'x');
  EXPECT_EQ(run(command).out, "3145728\n");
  command = shell("exit 0");  // does not read it
  command.input = std::string(3 << 20, 'x');
  EXPECT_EQ(run(command).code, 0);
}

TEST(ProcessRunner, StartsInTheWorkingDirectory) {
  auto command = shell("pwd");
  EXPECT_EQ(run(command).out, "/\n");
  command.working_dir = "/usr/bin";
  EXPECT_EQ(run(command).out, "/usr/bin\n");
}

TEST(ProcessRunner, LeaksNoDescriptor) {
  int leaky[2];
  ASSERT_EQ(pipe(leaky), 0);                                                 // without CLOEXEC
  EXPECT_EQ(run(shell("ls /proc/self/fd | tr '\\n' ' '")).out, "0 1 2 3 ");  // 3 is the folder that ls reads
  close(leaky[0]);
  close(leaky[1]);
}

TEST(ProcessRunner, GivesTheChildStandardSignals) {
  signal(SIGPIPE, SIG_IGN);  // as the service does
  EXPECT_EQ(run(shell("grep -E '^Sig(Ign|Blk)' /proc/self/status | tr -d '\\t\\n'")).out,
            "SigBlk:0000000000000000SigIgn:0000000000000000");
}

// Each run costs a few descriptors and one process; none may stay.
TEST(ProcessRunner, LeavesNothingBehindInUs) {
  const auto open_now = [] { return run(shell("ls /proc/$PPID/fd | wc -l")).out; };
  const auto before = open_now();
  for (int i = 0; i < 20; ++i) run(shell("exit 1"));
  EXPECT_EQ(open_now(), before);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a child was not reaped";
}

TEST(ProcessRunner, RunsManyAtOnce) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 16; ++i)
    threads.emplace_back([i] {
      for (int j = 0; j < 5; ++j) EXPECT_EQ(run(shell(fmt::format("echo {}", i))).out, fmt::format("{}\n", i));
    });
}

// reliability/F66: hangs
TEST(ProcessRunner, InterruptsWhatPassesTheDeadline) {
  const auto start = Steady::now();
  const auto exit = run(shell("echo begun; exec sleep 60"), Deadline::in(100ms));
  EXPECT_TRUE(exit.timed_out);
  EXPECT_EQ(exit.signal, SIGINT);
  EXPECT_EQ(exit.code, 130);
  EXPECT_EQ(exit.out, "begun\n");
  EXPECT_LT(Steady::now() - start, kSoon);
}

TEST(ProcessRunner, LetsAnInterruptedProgramEndByItself) {
  const auto exit = run(shell("trap 'echo bye; exit 3' INT; sleep 60 & wait"), Deadline::in(100ms));
  EXPECT_TRUE(exit.timed_out);
  EXPECT_EQ(exit.code, 3);
  EXPECT_EQ(exit.out, "bye\n");
}

TEST(ProcessRunner, EndsWhenAskedToStop) {
  std::stop_source source;
  std::jthread asks([&] {
    std::this_thread::sleep_for(50ms);
    source.request_stop();
  });
  const auto start = Steady::now();
  EXPECT_TRUE(run(shell("exec sleep 60"), Deadline::in(60s, source.get_token())).timed_out);
  EXPECT_LT(Steady::now() - start, kSoon);
}

TEST(ProcessRunner, StartsNothingAfterTheDeadline) {
  EXPECT_TRUE(run({.program = "/no/such/program"}, Deadline::in(0ms)).timed_out);  // starting it would be an error
}

// reliability/F66: ignores SIGINT
TEST(ProcessRunner, KillsWhatIgnoresTheInterrupt) {
  const auto start = Steady::now();
  const auto exit = run(shell("trap '' INT; echo begun; sleep 60; sleep 60"), Deadline::in(100ms));
  EXPECT_TRUE(exit.timed_out);
  EXPECT_EQ(exit.signal, SIGKILL);
  EXPECT_EQ(exit.code, 137);
  EXPECT_EQ(exit.out, "begun\n");
  EXPECT_LT(Steady::now() - start, kSoon);
}

// reliability/F66: forks
TEST(ProcessRunner, EndsTheWholeGroupOfAHangingProgram) {
  const auto exit = run(shell("trap '' INT; sleep 60 & echo $!; wait; sleep 60"), Deadline::in(100ms));
  EXPECT_TRUE(exit.timed_out);
  EXPECT_TRUE(is_gone(exit.out));
}

TEST(ProcessRunner, DoesNotWaitForAnInheritedPipe) {
  const auto start = Steady::now();
  const auto exit = run(shell("(trap '' INT HUP; sleep 60) & echo $!"));
  EXPECT_EQ(exit.code, 0);
  EXPECT_FALSE(exit.timed_out);
  EXPECT_LT(Steady::now() - start, kSoon);
  EXPECT_TRUE(is_gone(exit.out));
}

TEST(ProcessRunner, DoesNotWaitForOneThatLeftTheGroup) {
  const auto start = Steady::now();
  const auto exit = run(shell("setsid sh -c 'echo $$; exec timeout 5 yes' & sleep 0.3"));
  EXPECT_EQ(exit.code, 0);
  EXPECT_LT(Steady::now() - start, kSoon);
}

// reliability/F66: writes 1 GiB; the last bytes count
TEST(ProcessRunner, KeepsTheLastBytesOfMuchOutput) {
  const auto exit = run(shell("head -c 1073741824 /dev/zero | tr '\\0' x; echo end"), Deadline::in(2min));
  EXPECT_EQ(exit.code, 0);
  EXPECT_EQ(exit.out.size(), 256u << 10);
  EXPECT_TRUE(exit.out.ends_with("xxxend\n"));
  EXPECT_TRUE(exit.out_cut);
}

TEST(ProcessRunner, TellsWhenNothingWasCut) {
  auto command = shell("printf 12345678");
  command.output_bytes_max = 8;
  EXPECT_FALSE(run(command).out_cut);
  EXPECT_EQ(run(command).out, "12345678");
  command.output_bytes_max = 7;
  EXPECT_TRUE(run(command).out_cut);
  EXPECT_EQ(run(command).out, "2345678");
}

// reliability/F66: writes without a newline
TEST(ProcessRunner, TakesOutputWithoutNewline) { EXPECT_EQ(run(shell("printf abc >&2")).err, "abc"); }

// reliability/F66: exits by signal
TEST(ProcessRunner, NamesTheSignalThatEndedIt) {
  const auto exit = run(shell("kill -SEGV $$"));
  EXPECT_EQ(exit.signal, SIGSEGV);
  EXPECT_EQ(exit.code, 139);
  EXPECT_FALSE(exit.timed_out);
}

TEST(ProcessRunner, WaitsForOneThatClosesItsOutput) {
  const auto exit = run(shell("exec >&- 2>&-; sleep 0.2; exit 4"));
  EXPECT_EQ(exit.code, 4);
}

// reliability/F66: missing
TEST(ProcessRunner, SaysWhatCannotBeStarted) {
  struct Row {
    Command command;
    Kind kind;
    std::string_view message;
  };
  const Row rows[] = {
      {{.program = "no-such-tool", .environment = {{"PATH", "/usr/bin"}}},
       Kind::not_found,
       "starting no-such-tool: No such file or directory"},
      {{.program = "sh"}, Kind::not_found, "starting sh: No such file or directory"},
      {{.program = "/no/such"}, Kind::not_found, "starting /no/such: No such file or directory"},
      {{.program = "/etc/passwd"}, Kind::internal, "starting /etc/passwd: Permission denied"},
      {{.program = "/bin/sh", .working_dir = "/no/where"},
       Kind::internal,
       "starting /bin/sh: /no/where: No such file or directory"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.message);
    const auto exit = make_process_runner()->run(row.command, Deadline::in(5s));
    ASSERT_FALSE(exit);
    EXPECT_EQ(exit.error().kind, row.kind);
    EXPECT_EQ(exit.error().message, row.message);
  }
}

}  // namespace
}  // namespace windlass
