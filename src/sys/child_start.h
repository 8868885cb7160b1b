// How a child process begins, for those who speak to one: its program, its three standard streams.
#pragma once

#include <sys/types.h>

#include <optional>

#include "base/result.h"
#include "sys/files.h"
#include "sys/process.h"

namespace windlass {

// Both ends closed on exec; the end for reading does not block: it is ours.
struct Pipe {
  FileDescriptor read, write;
};
std::optional<Pipe> make_pipe();

// Moves a descriptor out of 0 to 2, which it gets when the service runs with its own standard streams closed: dup2() in
// the child would overwrite it there.
FileDescriptor above_standard(FileDescriptor fd);

struct ChildStreams {
  int in, out, err;  // from above_standard(), or otherwise above 2
};
// with_thread: it is killed when the thread ends that started it (PR_SET_PDEATHSIG).
enum class ChildEnds { with_thread, by_itself };

// The process id of the child, the leader of a process group of its own. Of `command` its input and its limits are the
// caller's affair. Kind::not_found when there is no such program, Kind::internal when it cannot be started.
Result<pid_t> start_child(const Command& command, const ChildStreams& streams, ChildEnds ends);

tl::unexpected<Error> cannot_start(const Command& command, std::string_view step, int code);

}  // namespace windlass
