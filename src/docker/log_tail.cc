#include "docker/log_tail.h"

#include <algorithm>

namespace windlass {

void LogTail::add(std::string_view bytes) {
  if (raw_) return keep(bytes);
  while (!bytes.empty()) {
    if (frame_left_ > 0) {
      const auto part = bytes.substr(0, frame_left_);
      keep(part);
      frame_left_ -= static_cast<std::uint32_t>(part.size());
      bytes.remove_prefix(part.size());
      continue;
    }
    head_[head_bytes_++] = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    if (head_bytes_ < head_.size()) continue;
    head_bytes_ = 0;
    frame_left_ =
        std::uint32_t{head_[4]} << 24 | std::uint32_t{head_[5]} << 16 | std::uint32_t{head_[6]} << 8 | head_[7];
  }
}

void LogTail::keep(std::string_view text) {
  text_ += text;
  if (text_.size() <= 2 * bytes_max_) return;
  text_.erase(0, text_.size() - bytes_max_);
  cut_ = true;
}

std::string LogTail::take() {
  if (text_.size() > bytes_max_) {
    text_.erase(0, text_.size() - bytes_max_);
    cut_ = true;
  }
  if (const auto line = text_.find('\n'); cut_ && line != text_.npos && line + 1 < text_.size())
    text_.erase(0, line + 1);
  return std::move(text_);
}

}  // namespace windlass
