// What a command says while it works: lines for logs; on a terminal also one line that tells how far it is.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace windlass {

class Progress {
 public:
  // Writes to `file_descriptor`; `quiet` leaves everything away.
  Progress(int file_descriptor, bool quiet);

  void say(std::string_view line);
  // "uploading  12.3 MB of 45.6 MB"; at most ten times a second, and on a terminal only.
  void update(std::string_view what, std::uint64_t done_bytes, std::uint64_t all_bytes);

 private:
  void write(std::string_view text) const;

  int file_descriptor_;
  bool is_quiet_, is_terminal_;
  bool has_line_ = false;  // one that the next will overwrite
  std::chrono::steady_clock::time_point shown_;
};

// "20.1 MB", "512 bytes"; powers of ten, as registries count.
std::string shown_bytes(std::uint64_t bytes);

}  // namespace windlass
