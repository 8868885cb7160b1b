// A file as a stream of bytes, decompressed if its first bytes say so.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "sys/byte_stream.h"
#include "sys/files.h"

namespace windlass {

class FileStream final : public ByteStream {
 public:
  static Result<std::unique_ptr<FileStream>> open(const std::filesystem::path& file);

  Result<std::string_view> next() override;
  std::uint64_t bytes_read() const { return bytes_read_; }
  // Reads from the start again.
  Status rewind();

 private:
  FileStream(FileDescriptor fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}
  FileDescriptor fd_;
  std::string name_;
  std::string buffer_;
  std::uint64_t bytes_read_ = 0;
};

enum class Compression { none, gzip, zstd };

// By the first bytes of `file`: 1f 8b is gzip, 28 b5 2f fd is zstd (oci 4). Leaves it rewound.
Result<Compression> compression_of(FileStream& file);

// The bytes that `source` holds when decompressed; `source` must outlive it. Errors are Kind::invalid when the
// compressed form is broken: cut, wrong check sum or length, bytes after its end.
std::unique_ptr<ByteStream> decompressed(ByteStream& source, Compression compression);

}  // namespace windlass
