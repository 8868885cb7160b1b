#include "sys/file_stream.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "sys/gzip_stream.h"
#include "sys/zstd_stream.h"

namespace windlass {
namespace {

constexpr std::size_t kPieceBytes = 128 << 10;

// So that what reads a raw file is owned like what decompresses one.
class Plain final : public ByteStream {
 public:
  explicit Plain(ByteStream& source) : source_(source) {}
  Result<std::string_view> next() override { return source_.next(); }

 private:
  ByteStream& source_;
};

}  // namespace

Result<std::unique_ptr<FileStream>> FileStream::open(const std::filesystem::path& file) {
  FileDescriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.valid()) return tl::unexpected(system_error("reading " + file.string(), errno));
  ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  return std::unique_ptr<FileStream>(new FileStream(std::move(fd), file.string()));
}

Result<std::string_view> FileStream::next() {
  buffer_.resize(kPieceBytes);
  ssize_t got;
  do got = ::read(fd_.get(), buffer_.data(), buffer_.size());
  while (got < 0 && errno == EINTR);
  if (got < 0) return tl::unexpected(system_error("reading " + name_, errno));
  bytes_read_ += static_cast<std::uint64_t>(got);
  return std::string_view(buffer_).substr(0, static_cast<std::size_t>(got));
}

Status FileStream::rewind() {
  if (::lseek(fd_.get(), 0, SEEK_SET) != 0) return tl::unexpected(system_error("reading " + name_, errno));
  bytes_read_ = 0;
  return {};
}

Result<Compression> compression_of(FileStream& file) {
  if (auto start = file.rewind(); !start) return tl::unexpected(start.error());
  auto piece = file.next();
  if (!piece) return tl::unexpected(piece.error());
  const auto found = piece->starts_with("\x1f\x8b")           ? Compression::gzip
                     : piece->starts_with("\x28\xb5\x2f\xfd") ? Compression::zstd
                                                              : Compression::none;
  if (auto start = file.rewind(); !start) return tl::unexpected(start.error());
  return found;
}

std::unique_ptr<ByteStream> decompressed(ByteStream& source, Compression compression) {
  switch (compression) {
    case Compression::gzip:
      return std::make_unique<GzipStream>(source, fastest_inflater());
    case Compression::zstd:
      return std::make_unique<ZstdStream>(source);
    case Compression::none:
      break;
  }
  return std::make_unique<Plain>(source);
}

}  // namespace windlass
