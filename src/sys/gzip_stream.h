// What a gzip stream holds: one or more members, nothing else before, between or after them (RFC 1952).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "sys/byte_stream.h"
#include "sys/inflater.h"

namespace windlass {

class GzipStream final : public ByteStream {
 public:
  // `source` must outlive it.
  GzipStream(ByteStream& source, std::unique_ptr<Inflater> inflater);

  // Kind::invalid: cut, damaged, wrong check sum or length, reserved flags, bytes after the last member, too many empty
  // members in a row.
  Result<std::string_view> next() override;

 private:
  enum class At { member_start, body, end };

  // True when a member begins, false at the end of the source.
  Result<bool> read_header();
  Status skip(std::size_t count);
  Status skip_text();
  Result<unsigned> byte();
  // Makes `input_` non-empty; false at the end of the source.
  Result<bool> fill();

  ByteStream& source_;
  std::unique_ptr<Inflater> inflater_;
  std::string_view input_;
  std::string output_;
  At at_ = At::member_start;
  bool first_ = true;
  int empty_members_ = 0;  // members that ended since bytes came out
};

}  // namespace windlass
