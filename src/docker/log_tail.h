// The end of a container's log, taken out of the stream that GET /containers/{id}/logs sends.
//
// Without a terminal the stream is cut into frames: one byte says which output, three are zero, four are the length in
// network order. With one it is raw.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace windlass {

class LogTail {
 public:
  LogTail(bool raw, std::size_t bytes_max) : raw_(raw), bytes_max_(bytes_max) {}

  // The next bytes of the stream, cut anywhere.
  void add(std::string_view bytes);
  // The last bytes, from the start of a line where earlier ones had to go.
  std::string take();

 private:
  void keep(std::string_view text);

  bool raw_;
  std::size_t bytes_max_;
  std::array<unsigned char, 8> head_{};
  std::size_t head_bytes_ = 0;
  std::uint32_t frame_left_ = 0;
  std::string text_;
  bool cut_ = false;
};

}  // namespace windlass
