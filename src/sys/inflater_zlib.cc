#include <zlib.h>

#include <new>

#include "sys/inflater.h"

namespace windlass {
namespace {

class ZlibInflater final : public Inflater {
 public:
  ZlibInflater() {
    if (::inflateInit2(&stream_, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
  }
  ~ZlibInflater() override { ::inflateEnd(&stream_); }

  void reset() override {
    ::inflateReset(&stream_);
    check_sum_ = ::crc32(0, nullptr, 0);
    length_ = 0;
    trailer_.clear();
    in_trailer_ = false;
  }

  Result<Step> step(std::string_view input, char* output, std::size_t output_bytes) override {
    if (in_trailer_) return read_trailer(input);
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    stream_.avail_in = static_cast<uInt>(input.size());
    stream_.next_out = reinterpret_cast<Bytef*>(output);
    stream_.avail_out = static_cast<uInt>(output_bytes);
    const int code = ::inflate(&stream_, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) return fail(Kind::invalid, "gzip: damaged data");
    in_trailer_ = code == Z_STREAM_END;
    const Step step{.used = input.size() - stream_.avail_in, .made = output_bytes - stream_.avail_out};
    check_sum_ = ::crc32(check_sum_, reinterpret_cast<const Bytef*>(output), static_cast<uInt>(step.made));
    length_ += static_cast<std::uint32_t>(step.made);  // modulo 2^32, as the format has it
    return step;
  }

 private:
  Result<Step> read_trailer(std::string_view input) {
    const auto taken = input.substr(0, 8 - trailer_.size());
    trailer_ += taken;
    if (trailer_.size() < 8) return Step{.used = taken.size()};
    if (number_at(0) != check_sum_ || number_at(4) != length_)
      return fail(Kind::invalid, "gzip: wrong check sum or length");
    return Step{.used = taken.size(), .ended = true};
  }

  std::uint32_t number_at(std::size_t at) const {
    std::uint32_t number = 0;
    for (std::size_t i = 4; i-- > 0;) number = number << 8 | static_cast<unsigned char>(trailer_[at + i]);
    return number;
  }

  z_stream stream_{};
  uLong check_sum_ = ::crc32(0, nullptr, 0);
  std::uint32_t length_ = 0;
  std::string trailer_;
  bool in_trailer_ = false;
};

}  // namespace

std::unique_ptr<Inflater> zlib_inflater() { return std::make_unique<ZlibInflater>(); }

}  // namespace windlass
