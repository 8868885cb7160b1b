// Child processes: an argument vector, never a shell; own process group, a deadline, bounded output.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"

namespace windlass {

struct Command {
  std::string program;  // looked up in PATH of `environment` unless it holds a slash
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;  // all of it: nothing is inherited (deploy/X12)
  std::string working_dir;                         // empty: "/"
  std::string input;                               // for standard input; empty: /dev/null
  std::size_t output_bytes_max = 256 << 10;        // of each stream the last bytes are kept (deploy/X16)
};

struct Exit {
  int code = 0;            // exit code; 128 + signal when killed by one
  int signal = 0;          // 0: ended by itself
  bool timed_out = false;  // the deadline or a stop ended it
  std::string out;         // standard output, last bytes
  std::string err;         // standard error, last bytes
  bool out_cut = false;    // earlier output was dropped
};

struct ProcessRunner {
  virtual ~ProcessRunner() = default;
  // Runs to the end. At the deadline the process group gets SIGINT, 10 s later SIGKILL (deploy/X17), and the result is
  // an Exit with timed_out. Errors: Kind::not_found (no such program), Kind::internal (cannot start one).
  // The child dies with this process (PR_SET_PDEATHSIG).
  virtual Result<Exit> run(const Command& command, const Deadline& deadline) = 0;
};

struct ProcessOptions {
  std::chrono::milliseconds grace{10'000};  // from SIGINT to SIGKILL (deploy/X17)
};

// Starts real processes, cheaply even from a large process: the address space is lent to the child until it executes
// the program (vfork). What the child leaves behind in its process group is killed when it ends, so an inherited pipe
// never keeps run() waiting.
std::unique_ptr<ProcessRunner> make_process_runner(ProcessOptions options = {});

}  // namespace windlass
