// Takes a chunked body apart (RFC 9112, 7.1), strictly (reliability 6).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace windlass {

class ChunkedBody {
 public:
  explicit ChunkedBody(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

  enum class Progress { incomplete, complete, too_large, refused };

  // Eats the front of `input`: what it took is erased, what belongs to the next request stays.
  Progress feed(std::string& input);

  std::string& body() { return body_; }
  const std::string& reason() const { return reason_; }  // of refused

 private:
  enum class Part { size_line, data, data_end, trailer };
  static constexpr std::size_t kLineBytesMax = 4096;      // a size with its extensions; a trailer field
  static constexpr std::size_t kTrailerBytesMax = 16384;  // all trailer fields, which nobody reads

  Progress refuse(std::string_view reason);
  bool deny(std::string_view reason);  // always false
  // The next whole line without its end, or nothing yet. Moves `position` behind it.
  bool take_line(std::string_view input, std::size_t& position, std::string_view& line);
  bool take_size(std::string_view line);
  Progress step(std::string_view input, std::size_t& position);

  std::uint64_t bytes_max_;
  std::uint64_t left_ = 0;  // bytes of the present chunk still to come
  Part part_ = Part::size_line;
  std::size_t trailer_bytes_ = 0;
  std::size_t extension_bytes_ = 0;
  std::string body_;
  std::string reason_;
};

}  // namespace windlass
