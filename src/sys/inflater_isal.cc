#include "sys/inflater.h"

#ifdef WINDLASS_HAS_ISAL
#include <isa-l/igzip_lib.h>
#endif

namespace windlass {

#ifdef WINDLASS_HAS_ISAL
namespace {

class IsalInflater final : public Inflater {
 public:
  IsalInflater() { IsalInflater::reset(); }

  void reset() override {
    isal_inflate_init(&state_);
    state_.crc_flag = ISAL_GZIP_NO_HDR_VER;  // the header is read by GzipStream, which is stricter
  }

  Result<Step> step(std::string_view input, char* output, std::size_t output_bytes) override {
    state_.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(input.data()));
    state_.avail_in = static_cast<std::uint32_t>(input.size());
    state_.next_out = reinterpret_cast<std::uint8_t*>(output);
    state_.avail_out = static_cast<std::uint32_t>(output_bytes);
    const int code = isal_inflate(&state_);
    if (code == ISAL_INCORRECT_CHECKSUM) return fail(Kind::invalid, "gzip: wrong check sum or length");
    if (code < 0) return fail(Kind::invalid, "gzip: damaged data");
    return Step{.used = input.size() - state_.avail_in,
                .made = output_bytes - state_.avail_out,
                .ended = state_.block_state == ISAL_BLOCK_FINISH};
  }

 private:
  inflate_state state_;
};

}  // namespace

std::unique_ptr<Inflater> isal_inflater() { return std::make_unique<IsalInflater>(); }
#else
std::unique_ptr<Inflater> isal_inflater() { return nullptr; }
#endif

std::unique_ptr<Inflater> fastest_inflater() {
  auto inflater = isal_inflater();
  return inflater ? std::move(inflater) : zlib_inflater();
}

}  // namespace windlass
