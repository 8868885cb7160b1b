#include "sys/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "base/crash_point.h"
#include "sys/child_start.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

constexpr std::size_t kReadBytes = 16 << 10;
constexpr std::size_t kDrainBytesMax = 1 << 20;  // read after the end: more can only come from a process that got away
constexpr auto kKillWait = 5s;  // SIGKILL takes effect in this time, or never (a process in the kernel)

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

// Standard input is a file in memory: unlike a pipe it needs no writer, so a child that does not read cannot block us.
FileDescriptor make_input(const std::string& input) {
  if (input.empty()) return above_standard(FileDescriptor(open("/dev/null", O_RDONLY | O_CLOEXEC)));
  auto file = above_standard(FileDescriptor(memfd_create("input", MFD_CLOEXEC)));
  if (file.valid() && write_all(file.get(), input) != 0) return FileDescriptor();
  if (file.valid()) lseek(file.get(), 0, SEEK_SET);
  return file;
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
    const auto in = make_input(command.input);
    if (!in.valid()) return cannot_start(command, "standard input", errno);
    auto out = make_pipe();
    auto err = make_pipe();
    if (!out || !err) return cannot_start(command, "pipe", errno);
    const auto pid = start_child(command, {in.get(), out->write.get(), err->write.get()}, ChildEnds::with_thread);
    if (!pid) return tl::unexpected(pid.error());
    out->write.reset();
    err->write.reset();
    crash_point("child.started");
    Child child(*pid, std::move(out->read), std::move(err->read), command.output_bytes_max);
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
