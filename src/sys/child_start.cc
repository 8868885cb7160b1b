#include "sys/child_start.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <vector>

#include "base/text.h"

namespace windlass {
namespace {

constexpr int kLastSignal = 64;

std::string find_program(const Command& command) {
  if (command.program.find('/') != command.program.npos) return command.program;
  const auto path = command.environment.find("PATH");
  if (path == command.environment.end()) return {};
  for (auto folder : split(path->second, ':')) {
    auto candidate = fmt::format("{}/{}", folder, command.program);
    if (!folder.empty() && access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return {};
}

// All that the child needs between vfork() and execve(), where it shares our memory and may not allocate.
struct Start {
  const char* program;
  const char* working_dir;
  char* const* arguments;
  char* const* environment;
  int in, out, err;
  pid_t parent;
  bool dies_with_thread;
  sigset_t signals;
  // Written by the child, read by us: the address space is the same one.
  volatile int error_code = 0;
  volatile bool error_in_working_dir = false;
};

[[noreturn]] void become_program(Start& start) {
  // Handlers would run on our memory until execve(): back to the default, and nothing inherited stays ignored.
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int signal = 1; signal <= kLastSignal; ++signal) sigaction(signal, &standard, nullptr);
  setpgid(0, 0);
  if (start.dies_with_thread) prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != start.parent) _exit(127);  // we died before the line above
  dup2(start.in, 0);
  dup2(start.out, 1);
  dup2(start.err, 2);
  close_range(3, ~0u, 0);
  if (chdir(start.working_dir) != 0) {
    start.error_code = errno;
    start.error_in_working_dir = true;
    _exit(127);
  }
  sigprocmask(SIG_SETMASK, &start.signals, nullptr);
  execve(start.program, start.arguments, start.environment);
  start.error_code = errno;
  _exit(127);
}

// Not inlined: nothing of the caller may live in registers that the child could change.
[[gnu::noinline]] pid_t begin_child(Start& start) {
  sigset_t all;
  sigfillset(&all);
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, &all, &before);
  sigemptyset(&start.signals);
  const pid_t pid = vfork();
  if (pid == 0) become_program(start);
  if (pid < 0) start.error_code = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return pid;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

tl::unexpected<Error> cannot_start(const Command& command, std::string_view step, int code) {
  const auto kind = step.empty() && (code == ENOENT || code == ENOTDIR) ? Kind::not_found : Kind::internal;
  return fail(kind, fmt::format("starting {}: {}{}{}", printable(command.program, 256), step, step.empty() ? "" : ": ",
                                std::strerror(code)));
}

FileDescriptor above_standard(FileDescriptor fd) {
  if (!fd.valid() || fd.get() > 2) return fd;
  return FileDescriptor(fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
}

std::optional<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  Pipe pipe{above_standard(FileDescriptor(ends[0])), above_standard(FileDescriptor(ends[1]))};
  if (!pipe.read.valid() || !pipe.write.valid()) return std::nullopt;
  fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK);  // ours alone: the child's end stays as programs expect it
  return pipe;
}

Result<pid_t> start_child(const Command& command, const ChildStreams& streams, ChildEnds ends) {
  const auto program = find_program(command);
  if (program.empty()) return cannot_start(command, "", ENOENT);
  std::vector<std::string> arguments{command.program};
  arguments.insert(arguments.end(), command.arguments.begin(), command.arguments.end());
  std::vector<std::string> environment;
  for (const auto& [name, value] : command.environment) environment.push_back(fmt::format("{}={}", name, value));
  const auto argument_pointers = pointers(arguments);
  const auto environment_pointers = pointers(environment);
  const auto working_dir = command.working_dir.empty() ? std::string("/") : command.working_dir;
  Start start{.program = program.c_str(),
              .working_dir = working_dir.c_str(),
              .arguments = argument_pointers.data(),
              .environment = environment_pointers.data(),
              .in = streams.in,
              .out = streams.out,
              .err = streams.err,
              .parent = getpid(),
              .dies_with_thread = ends == ChildEnds::with_thread};
  const pid_t pid = begin_child(start);
  if (pid < 0) return cannot_start(command, "vfork", start.error_code);
  if (start.error_code != 0) {
    waitpid(pid, nullptr, 0);
    return start.error_in_working_dir ? cannot_start(command, working_dir, start.error_code)
                                      : cannot_start(command, "", start.error_code);
  }
  return pid;
}

}  // namespace windlass
