#include "sys/http_chunked.h"

#include <algorithm>
#include <charconv>

namespace windlass {
namespace {

bool has_control_byte(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7F; });
}

}  // namespace

bool ChunkedBody::deny(std::string_view reason) {
  reason_ = reason;
  return false;
}

ChunkedBody::Progress ChunkedBody::refuse(std::string_view reason) {
  deny(reason);
  return Progress::refused;
}

ChunkedBody::Progress ChunkedBody::feed(std::string& input) {
  std::size_t position = 0;
  for (;;) {
    const auto before = position;
    const auto part = part_;
    const auto progress = step(input, position);
    if (progress == Progress::incomplete && (position != before || part_ != part)) continue;
    input.erase(0, position);
    return progress;
  }
}

ChunkedBody::Progress ChunkedBody::step(std::string_view input, std::size_t& position) {
  std::string_view line;
  switch (part_) {
    case Part::size_line:
      if (!take_line(input, position, line)) return reason_.empty() ? Progress::incomplete : Progress::refused;
      if (!take_size(line)) return Progress::refused;
      if (left_ > bytes_max_ - body_.size()) return Progress::too_large;
      part_ = left_ == 0 ? Part::trailer : Part::data;
      return Progress::incomplete;
    case Part::data: {
      const auto count = std::min<std::uint64_t>(left_, input.size() - position);
      body_.append(input, position, count);
      position += count;
      left_ -= count;
      if (left_ == 0) part_ = Part::data_end;
      return Progress::incomplete;
    }
    case Part::data_end:
      if (position < input.size() && input[position] != '\r') return refuse("a chunk without its line end");
      if (input.size() - position < 2) return Progress::incomplete;
      if (input[position + 1] != '\n') return refuse("a chunk without its line end");
      position += 2;
      part_ = Part::size_line;
      return Progress::incomplete;
    case Part::trailer:
      if (!take_line(input, position, line)) return reason_.empty() ? Progress::incomplete : Progress::refused;
      if (line.empty()) return Progress::complete;
      trailer_bytes_ += line.size();
      if (trailer_bytes_ > kTrailerBytesMax) return refuse("trailers are too long");
      if (line.front() == ' ' || line.front() == '\t' || line.find(':') == line.npos)
        return refuse("malformed trailer");
      return Progress::incomplete;
  }
  return Progress::incomplete;
}

bool ChunkedBody::take_line(std::string_view input, std::size_t& position, std::string_view& line) {
  const auto end = input.find('\n', position);
  if ((end == input.npos ? input.size() : end) - position > kLineBytesMax) return deny("a chunk line is too long");
  if (end == input.npos) return false;
  line = input.substr(position, end - position);
  if (!line.ends_with('\r')) return deny("a chunk line ends without a carriage return");
  line.remove_suffix(1);
  if (has_control_byte(line)) return deny("control character in a chunk line");
  position = end + 1;
  return true;
}

// 1 to 16 hexadecimal digits, then nothing or an extension, which is ignored.
bool ChunkedBody::take_size(std::string_view line) {
  const auto digits = std::min(line.find(';'), line.size());
  const auto end = line.data() + digits;
  const auto number = std::from_chars(line.data(), end, left_, 16);
  if (digits > 16 || number.ec != std::errc() || number.ptr != end) return deny("malformed chunk size");
  // Chunks of one byte with long extensions would let a small body cost any amount of reading.
  extension_bytes_ += line.size() - digits;
  if (extension_bytes_ > 16 * kLineBytesMax) return deny("chunk extensions are too long");
  return true;
}

}  // namespace windlass
