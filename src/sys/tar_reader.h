// A strict reader of tar archives: anything that two readers could take differently is an error.
//
// Not libarchive, which repairs, guesses and skips (wrong check sums after the first entry, sizes of links, data behind
// the end): what it would accept is what a hostile archive is made of, and its repairs cannot be switched off.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sys/byte_stream.h"
#include "sys/tar_header.h"
#include "sys/tar_sparse.h"

namespace windlass {

enum class TarType { file, hard_link, link, character_device, block_device, folder, fifo };

struct TarEntry {
  TarType type = TarType::file;
  std::string name;  // as it stands there, PAX and GNU names applied; nothing cleaned
  std::string link;
  unsigned mode = 0;
  std::uint64_t size_bytes = 0;  // of the file when it is unpacked, holes included
  std::int64_t mtime_unix = 0;
  bool sparse = false;
};

class TarReader {
 public:
  // One PAX or GNU metadata header may have `metadata_bytes_max`. `source` must outlive the reader.
  TarReader(ByteStream& source, std::uint64_t metadata_bytes_max)
      : source_(source), metadata_bytes_max_(metadata_bytes_max) {}

  // The next entry; what is left of the last one's data is skipped. False at the end, which is an end marker or where
  // the bytes end between two entries; then the rest has been read, and was zeros.
  Result<bool> next(TarEntry& entry);

  // The next piece of the entry's data and where in the file it belongs; holes of sparse files are left out. An empty
  // piece is the end.
  struct Piece {
    std::uint64_t offset = 0;
    std::string_view bytes;
  };
  Result<Piece> data();

 private:
  struct Metadata;  // what came before the header it is for
  Result<bool> next_header(TarHeader& header, Metadata& metadata);
  Status read_metadata(const TarHeader& header, Metadata& metadata);
  Status describe(const TarHeader& header, Metadata& metadata, TarEntry& entry);
  Status find_sparse_map(const TarHeader& header, const Metadata& metadata, TarEntry& entry);
  Status read_end();

  Result<std::string> block();
  // At least one byte, at most `bytes_max`; "" at the end of the source.
  Result<std::string_view> take(std::uint64_t bytes_max);
  Result<std::string> take_exactly(std::uint64_t bytes, std::string_view what);
  Status skip(std::uint64_t bytes);
  Status skip_padding();

  ByteStream& source_;
  const std::uint64_t metadata_bytes_max_;
  std::string_view rest_;  // of the source's last piece
  std::string header_block_;
  std::uint64_t stored_left_ = 0;  // bytes of the entry's data still in the archive
  std::uint64_t padding_ = 0;      // behind them
  SparseMap sparse_;               // plain files are one piece
  std::size_t piece_ = 0;          // of sparse_
  std::uint64_t piece_done_ = 0;   // bytes of that piece
  bool ended_ = false;
};

}  // namespace windlass
