#include "sys/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

#include "base/crash_point.h"
#include "base/text.h"
#include "sys/files.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

constexpr std::size_t kReadBytes = 16 << 10;
constexpr std::size_t kDrainBytesMax = 1 << 20;  // read after the end: more can only come from a process that got away
constexpr auto kKillWait = 5s;  // SIGKILL takes effect in this time, or never (a process in the kernel)
constexpr int kLastSignal = 64;

tl::unexpected<Error> cannot_start(const Command& command, std::string_view step, int code) {
  const auto kind = step.empty() && (code == ENOENT || code == ENOTDIR) ? Kind::not_found : Kind::internal;
  return fail(kind, fmt::format("starting {}: {}{}{}", printable(command.program, 256), step, step.empty() ? "" : ": ",
                                std::strerror(code)));
}

// The last bytes of a stream. Old ones go in large steps, not with every read.
class Tail {
 public:
  explicit Tail(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  void add(std::string_view bytes) {
    text_ += bytes;
    if (text_.size() > 2 * bytes_max_ + kReadBytes) cut();
  }
  std::string take(bool& was_cut) {
    cut();
    was_cut = cut_;
    return std::move(text_);
  }

 private:
  void cut() {
    if (text_.size() <= bytes_max_) return;
    text_.erase(0, text_.size() - bytes_max_);
    cut_ = true;
  }

  std::size_t bytes_max_;
  std::string text_;
  bool cut_ = false;
};

// Moves a descriptor out of 0 to 2, which it gets when the service runs with its own standard streams closed: dup2() in
// the child would overwrite it there.
FileDescriptor above_standard(FileDescriptor fd) {
  if (!fd.valid() || fd.get() > 2) return fd;
  return FileDescriptor(fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
}

struct Pipe {
  FileDescriptor read, write;
};

std::optional<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  Pipe pipe{above_standard(FileDescriptor(ends[0])), above_standard(FileDescriptor(ends[1]))};
  if (!pipe.read.valid() || !pipe.write.valid()) return std::nullopt;
  fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK);  // ours alone: the child's end stays as programs expect it
  return pipe;
}

// Standard input is a file in memory: unlike a pipe it needs no writer, so a child that does not read cannot block us.
FileDescriptor make_input(const std::string& input) {
  if (input.empty()) return above_standard(FileDescriptor(open("/dev/null", O_RDONLY | O_CLOEXEC)));
  auto file = above_standard(FileDescriptor(memfd_create("input", MFD_CLOEXEC)));
  for (std::size_t at = 0; file.valid() && at < input.size();) {
    const auto written = write(file.get(), input.data() + at, input.size() - at);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return FileDescriptor();
    at += static_cast<std::size_t>(written);
  }
  if (file.valid()) lseek(file.get(), 0, SEEK_SET);
  return file;
}

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
  prctl(PR_SET_PDEATHSIG, SIGKILL);
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
[[gnu::noinline]] pid_t start_child(Start& start) {
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

// A started child: reads what it writes, ends it at the deadline, and always reaps it.
class Child {
 public:
  Child(pid_t pid, FileDescriptor out, FileDescriptor err, std::size_t output_bytes_max)
      : pid_(pid),
        ended_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))),  // glibc 2.36 declares it without extern "C"
        streams_{Stream{std::move(out), Tail(output_bytes_max)}, Stream{std::move(err), Tail(output_bytes_max)}} {}

  Exit watch(const Deadline& deadline, std::chrono::milliseconds grace) {
    const FileDescriptor wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    const std::stop_callback on_stop(deadline.stop, [&] { eventfd_write(wake.get(), 1); });
    auto next_step = deadline.at;  // when the next signal is due
    enum { running, interrupted, killed } state = running;
    while (!wait_until(next_step, state == running ? wake.get() : -1)) {
      if (state == running && !deadline.passed()) continue;
      if (state != running && Steady::now() < next_step) continue;
      if (state == killed) break;  // stuck in the kernel: it stays behind rather than us
      kill(-pid_, state == running ? SIGINT : SIGKILL);
      next_step = Steady::now() + (state == running ? grace : std::chrono::milliseconds(kKillWait));
      state = state == running ? interrupted : killed;
    }
    return finish(state != running);
  }

 private:
  struct Stream {
    FileDescriptor fd;
    Tail tail;
    std::size_t bytes = 0;

    // False when there is nothing more to read now.
    bool read_some() {
      std::array<char, kReadBytes> buffer;
      const auto got = read(fd.get(), buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) return true;
      if (got < 0 && errno == EAGAIN) return false;
      if (got <= 0) {
        fd.reset();
        return false;
      }
      tail.add({buffer.data(), static_cast<std::size_t>(got)});
      bytes += static_cast<std::size_t>(got);
      return true;
    }
  };

  // Reads until the child has ended (true), or until `until`, a wake-up, or some output passed (false).
  bool wait_until(Steady::time_point until, int wake) {
    std::array<pollfd, 4> wanted{{{ended_.get(), POLLIN, 0},
                                  {streams_[0].fd.get(), POLLIN, 0},
                                  {streams_[1].fd.get(), POLLIN, 0},
                                  {wake, POLLIN, 0}}};
    poll(wanted.data(), wanted.size(), static_cast<int>(Deadline{until, {}}.left().count()));
    for (auto& stream : streams_)
      if (wanted[&stream == &streams_[0] ? 1 : 2].revents != 0) stream.read_some();
    return wanted[0].revents != 0;
  }

  Exit finish(bool timed_out) {
    // While the child is not reaped yet, its id and thereby its group's cannot be another's.
    kill(-pid_, SIGKILL);
    for (auto& stream : streams_)
      for (const auto before = stream.bytes; stream.fd.valid() && stream.bytes - before < kDrainBytesMax;)
        if (!stream.read_some()) break;
    Exit exit{.timed_out = timed_out};
    int status = SIGKILL;
    waitpid(pid_, &status, WNOHANG);
    if (WIFSIGNALED(status)) exit.signal = WTERMSIG(status);
    exit.code = exit.signal != 0 ? 128 + exit.signal : WEXITSTATUS(status);
    exit.out = streams_[0].tail.take(exit.out_cut);
    bool err_cut = false;
    exit.err = streams_[1].tail.take(err_cut);
    return exit;
  }

  pid_t pid_;
  FileDescriptor ended_;  // readable when the child has ended
  std::array<Stream, 2> streams_;
};

class PosixRunner final : public ProcessRunner {
 public:
  explicit PosixRunner(ProcessOptions options) : options_(options) {}

  Result<Exit> run(const Command& command, const Deadline& deadline) override {
    if (deadline.passed()) return Exit{.code = 128 + SIGINT, .signal = SIGINT, .timed_out = true};
    const auto program = find_program(command);
    if (program.empty()) return cannot_start(command, "", ENOENT);
    std::vector<std::string> arguments{command.program};
    arguments.insert(arguments.end(), command.arguments.begin(), command.arguments.end());
    std::vector<std::string> environment;
    for (const auto& [name, value] : command.environment) environment.push_back(fmt::format("{}={}", name, value));
    const auto argument_pointers = pointers(arguments);
    const auto environment_pointers = pointers(environment);

    const auto in = make_input(command.input);
    if (!in.valid()) return cannot_start(command, "standard input", errno);
    auto out = make_pipe();
    auto err = make_pipe();
    if (!out || !err) return cannot_start(command, "pipe", errno);
    const auto working_dir = command.working_dir.empty() ? std::string("/") : command.working_dir;
    Start start{.program = program.c_str(),
                .working_dir = working_dir.c_str(),
                .arguments = argument_pointers.data(),
                .environment = environment_pointers.data(),
                .in = in.get(),
                .out = out->write.get(),
                .err = err->write.get(),
                .parent = getpid()};
    const pid_t pid = start_child(start);
    if (pid < 0) return cannot_start(command, "vfork", start.error_code);
    if (start.error_code != 0) {
      waitpid(pid, nullptr, 0);
      return start.error_in_working_dir ? cannot_start(command, working_dir, start.error_code)
                                        : cannot_start(command, "", start.error_code);
    }
    out->write.reset();
    err->write.reset();
    crash_point("child.started");
    Child child(pid, std::move(out->read), std::move(err->read), command.output_bytes_max);
    return child.watch(deadline, options_.grace);
  }

 private:
  ProcessOptions options_;
};

}  // namespace

std::unique_ptr<ProcessRunner> make_process_runner(ProcessOptions options) {
  return std::make_unique<PosixRunner>(options);
}

}  // namespace windlass
