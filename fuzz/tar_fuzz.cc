// TarReader alone: fast, and the same whatever pieces the bytes come in (reliability 5).
#include "fuzz/fuzz.h"
#include "fuzz/memory_stream.h"
#include "fuzz/tar_mutation.h"
#include "sys/tar_reader.h"

namespace windlass {
namespace {

constexpr std::uint64_t kMetadataBytesMax = 4096;

// All that the reader says of an archive, as one text.
struct Account {
  std::string text;
  bool is_whole = false;
};

void read_data(TarReader& reader, const TarEntry& entry, Account& account) {
  std::uint64_t end = 0;
  for (;;) {
    const auto piece = reader.data();
    if (!piece) {
      require_printable(piece.error().message);
      account.text += piece.error().message;
      return;
    }
    if (piece->bytes.empty()) break;
    require(piece->offset >= end, "data comes in order");
    end = piece->offset + piece->bytes.size();
    require(end <= entry.size_bytes, "data lies within the file");
    account.text += piece->bytes;
  }
  require(entry.sparse || end == entry.size_bytes, "a plain file is all there");
}

Account account_of(std::string_view archive, std::size_t piece_bytes) {
  MemoryStream bytes(archive, piece_bytes);
  TarReader reader(bytes, kMetadataBytesMax);
  Account account;
  for (TarEntry entry;;) {
    const auto more = reader.next(entry);
    if (!more) {
      require(more.error().kind == Kind::invalid, "a bad archive is invalid");
      require_printable(more.error().message);
      account.text += more.error().message;
      return account;
    }
    account.is_whole = !*more;
    if (!*more) return account;
    require(entry.type == TarType::file || entry.size_bytes == 0, "only files have a size");
    require(entry.mode <= 07777, "a mode is a mode");
    account.text += entry.name + '\0' + entry.link + '\0' + std::to_string(entry.mtime_unix) + '\0';
    if (entry.size_bytes % 2 == 0) read_data(reader, entry, account);  // others are skipped by the reader
  }
}

}  // namespace

void fuzz(std::string_view input) {
  const auto whole = account_of(input, 1 << 20);
  for (const std::size_t piece_bytes : {1, 511, 513}) {
    const auto pieces = account_of(input, piece_bytes);
    require(pieces.is_whole == whole.is_whole && pieces.text == whole.text, "pieces change nothing");
  }
}

}  // namespace windlass

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t size_max,
                                               unsigned seed) {
  return windlass::mutate_archive(data, size, size_max, seed);
}
