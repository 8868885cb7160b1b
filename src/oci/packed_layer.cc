#include "oci/packed_layer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/text.h"
#include "sys/crypto.h"
#include "sys/gzip_sink.h"
#include "sys/tar_writer.h"
#include "sys/zstd_sink.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPieceBytes = 128 << 10;

// Hashes and counts what goes through to the sink behind.
class HashingSink final : public ByteSink {
 public:
  explicit HashingSink(ByteSink& next) : next_(next) {}
  Status write(std::string_view bytes) override {
    hash_.update(bytes);
    bytes_ += bytes.size();
    return next_.write(bytes);
  }
  Status finish() override { return next_.finish(); }
  Digest digest() { return Digest::of_sha256_hex(hash_.finish_hex()); }
  std::uint64_t bytes() const { return bytes_; }

 private:
  ByteSink& next_;
  Sha256 hash_;
  std::uint64_t bytes_ = 0;
};

class FileSink final : public ByteSink {
 public:
  explicit FileSink(int fd) : fd_(fd) {}
  Status write(std::string_view bytes) override {
    const int code = write_all(fd_, bytes);
    return code == 0 ? Status() : tl::unexpected(system_error("writing the layer", code));
  }
  Status finish() override { return {}; }

 private:
  int fd_;
};

// Null for none: the archive itself is the blob.
std::unique_ptr<ByteSink> compressor(LayerCompression compression, ByteSink& next) {
  switch (compression) {
    case LayerCompression::gzip:
      return std::make_unique<GzipSink>(next);
    case LayerCompression::zstd:
      return std::make_unique<ZstdSink>(next);
    case LayerCompression::none:
      break;
  }
  return nullptr;
}

std::string media_type_of(LayerCompression compression) {
  std::string tar = "application/vnd.oci.image.layer.v1.tar";
  switch (compression) {
    case LayerCompression::gzip:
      return tar + "+gzip";
    case LayerCompression::zstd:
      return tar + "+zstd";
    case LayerCompression::none:
      break;
  }
  return tar;
}

// What the unpacker will refuse (oci 8) is not pushed. It looks while it reads, so a long run of zeros counts although
// noise comes behind it.
Status check_expansion(std::uint64_t blob_bytes, std::uint64_t archive_bytes, const UnpackLimits& limits) {
  if (archive_bytes <= limits.ratio_free_bytes || archive_bytes / limits.ratio_max <= blob_bytes) return {};
  return fail(Kind::invalid, fmt::format("expands to more than {} times its size, which is refused as a bomb: pack "
                                         "without compression",
                                         limits.ratio_max));
}

class Packer {
 public:
  Packer(int root, HashingSink& archive, const HashingSink& blob, const PackingOptions& options)
      : root_(root), archive_(archive), blob_(blob), tar_(archive), options_(options) {}

  Status pack(const PackingList& list) {
    for (const auto& entry : list.entries) {
      auto added = add(entry);
      if (added) added = check_expansion(blob_.bytes(), archive_.bytes(), options_.limits);
      if (!added) return while_doing(printable(entry.path, 256), added.error());
    }
    return tar_.finish();
  }

 private:
  Status add(const TreeEntry& entry) {
    switch (entry.type) {
      case EntryType::folder:
        return tar_.add_folder(entry.path, entry.mode);
      case EntryType::link:
        return tar_.add_link(entry.path, entry.content);
      case EntryType::file:
        break;
    }
    return add_file(entry);
  }

  Status add_file(const TreeEntry& entry) {
    const auto file = open_without_links(root_, entry.path, O_RDONLY | O_NONBLOCK);  // a pipe by now must not hang us
    if (!file.valid()) return tl::unexpected(system_error("opening", errno));
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) return tl::unexpected(system_error("reading", errno));
    if (!S_ISREG(status.st_mode) || static_cast<std::uint64_t>(status.st_size) != entry.size_bytes) return changed();
    if (auto begun = tar_.begin_file(entry.path, entry.mode, entry.size_bytes); !begun) return begun;
    for (std::uint64_t left = entry.size_bytes; left > 0;) {
      const auto got = ::read(file.get(), piece_.data(), std::min<std::uint64_t>(left, piece_.size()));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return tl::unexpected(system_error("reading", errno));
      if (got == 0) return changed();
      if (auto taken = tar_.data(std::string_view(piece_).substr(0, static_cast<std::size_t>(got))); !taken)
        return taken;
      left -= static_cast<std::uint64_t>(got);
      options_.on_progress(bytes_ += static_cast<std::uint64_t>(got));
    }
    return tar_.end_file();
  }

  static tl::unexpected<Error> changed() {
    return fail(Kind::invalid, "was changed while the folder was packed: push it again");
  }

  int root_;
  const HashingSink& archive_;
  const HashingSink& blob_;
  TarWriter tar_;
  const PackingOptions& options_;
  std::string piece_ = std::string(kPieceBytes, '\0');
  std::uint64_t bytes_ = 0;
};

// O_TMPFILE where the file system has it; else a file whose name goes at once.
Result<FileDescriptor> unnamed_file(const fs::path& folder) {
  FileDescriptor fd(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (fd.valid()) return fd;
  auto name = (folder / "windlass-layer-XXXXXX").string();
  fd = FileDescriptor(::mkostemp(name.data(), O_CLOEXEC));
  if (!fd.valid()) return tl::unexpected(system_error("making a temporary file in " + folder.string(), errno));
  ::unlink(name.c_str());
  return fd;
}

}  // namespace

Result<PackedLayer> pack_layer(const fs::path& folder, const PackingList& list, const PackingOptions& options) {
  const FileDescriptor root(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) return tl::unexpected(system_error("opening " + folder.string(), errno));
  auto file = unnamed_file(options.temporary_folder);
  if (!file) return tl::unexpected(file.error());

  FileSink out(file->get());
  HashingSink blob(out);
  const auto compressed = compressor(options.compression, blob);
  HashingSink archive(compressed ? *compressed : static_cast<ByteSink&>(blob));
  if (auto packed = Packer(root.get(), archive, blob, options).pack(list); !packed)
    return tl::unexpected(packed.error());
  const auto blob_bytes_max = options.limits.compressed_bytes_max;
  if (blob.bytes() > blob_bytes_max)
    return fail(Kind::invalid, fmt::format("layer of {} bytes, limit {}", blob.bytes(), blob_bytes_max));
  return PackedLayer{.digest = blob.digest(),
                     .diff_id = archive.digest(),
                     .size_bytes = blob.bytes(),
                     .media_type = media_type_of(options.compression),
                     .file = std::move(*file)};
}

}  // namespace windlass
