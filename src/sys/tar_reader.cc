#include "sys/tar_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/text.h"

namespace windlass {
namespace {

tl::unexpected<Error> bad(std::string rule) { return fail(Kind::invalid, std::move(rule)); }

std::uint64_t padding_of(std::uint64_t bytes) { return (kTarBlockBytes - bytes % kTarBlockBytes) % kTarBlockBytes; }

std::optional<TarType> type_of(char letter) {
  switch (letter) {
    case '0':
    case '7':  // contiguous: a file like any other
    case 'S':
      return TarType::file;
    case '1':
      return TarType::hard_link;
    case '2':
      return TarType::link;
    case '3':
      return TarType::character_device;
    case '4':
      return TarType::block_device;
    case '5':
      return TarType::folder;
    case '6':
      return TarType::fifo;
    default:
      return std::nullopt;
  }
}

// "1700000000.25", with whatever sign and size: clamped.
std::int64_t time_of(std::string_view text) {
  double seconds = 0;
  try {
    seconds = std::stod(std::string(text));
  } catch (const std::exception&) {
    return 0;
  }
  constexpr double limit = 4e18;
  return std::isfinite(seconds) ? static_cast<std::int64_t>(std::clamp(seconds, -limit, limit)) : 0;
}

}  // namespace

struct TarReader::Metadata {
  std::optional<PaxRecords> pax;
  std::optional<std::string> long_name;
  std::optional<std::string> long_link;
};

Result<bool> TarReader::next(TarEntry& entry) {
  if (ended_) return false;
  if (auto skipped = skip(stored_left_); !skipped) return tl::unexpected(skipped.error());
  if (auto skipped = skip_padding(); !skipped) return tl::unexpected(skipped.error());
  stored_left_ = 0;

  TarHeader header;
  Metadata metadata;
  auto more = next_header(header, metadata);
  if (!more) return more;
  if (!*more) {
    ended_ = true;
    if (metadata.pax || metadata.long_name || metadata.long_link) return bad("metadata without an entry after it");
    if (auto end = read_end(); !end) return tl::unexpected(end.error());
    return false;
  }
  if (auto described = describe(header, metadata, entry); !described) return tl::unexpected(described.error());
  return true;
}

Result<bool> TarReader::next_header(TarHeader& header, Metadata& metadata) {
  while (true) {
    auto first = take(kTarBlockBytes);
    if (!first) return tl::unexpected(first.error());
    if (first->empty()) return false;  // no end marker: taken
    header_block_ = *first;
    if (header_block_.size() < kTarBlockBytes) {
      auto others = take_exactly(kTarBlockBytes - header_block_.size(), "a header");
      if (!others) return tl::unexpected(others.error());
      header_block_ += *others;
    }
    if (is_zero_block(header_block_)) return false;
    auto parsed = parse_tar_header(header_block_);
    if (!parsed) return tl::unexpected(parsed.error());
    header = std::move(*parsed);
    if (header.type != 'x' && header.type != 'g' && header.type != 'L' && header.type != 'K') return true;
    if (auto read = read_metadata(header, metadata); !read) return tl::unexpected(read.error());
  }
}

Status TarReader::read_metadata(const TarHeader& header, Metadata& metadata) {
  if (header.size_bytes > metadata_bytes_max_)
    return bad(fmt::format("metadata header of {} bytes, limit {}", header.size_bytes, metadata_bytes_max_));
  auto content = take_exactly(header.size_bytes, "a metadata header");
  if (!content) return tl::unexpected(content.error());
  if (auto skipped = skip(padding_of(header.size_bytes)); !skipped) return skipped;

  if (header.type == 'L' || header.type == 'K') {
    auto& text = header.type == 'L' ? metadata.long_name : metadata.long_link;
    if (text) return bad("two GNU long names in a row");
    text = content->substr(0, content->find('\0'));
    if (!is_zero_block(std::string_view(*content).substr(text->size()))) return bad("NUL in a GNU long name");
    return {};
  }
  auto records = parse_pax_records(*content);
  if (!records) return tl::unexpected(records.error());
  if (header.type == 'g') {
    // Only what changes nothing for us, such as git's commit id: else one header could rename every entry.
    for (const auto& [key, value] : *records)
      if (key == "path" || key == "linkpath" || key == "size" || key.starts_with("GNU.sparse."))
        return bad(fmt::format("global PAX header with {}", key));
    return {};
  }
  if (metadata.pax) return bad("two PAX headers in a row");
  metadata.pax = std::move(*records);
  return {};
}

Status TarReader::describe(const TarHeader& header, Metadata& metadata, TarEntry& entry) {
  const PaxRecords none;
  const PaxRecords& pax = metadata.pax ? *metadata.pax : none;
  entry = {.name = metadata.long_name.value_or(header.name),
           .link = metadata.long_link.value_or(header.link),
           .mode = header.mode,
           .size_bytes = header.size_bytes,
           .mtime_unix = header.mtime_unix};
  if (const auto path = pax_value(pax, "path")) entry.name = *path;
  if (const auto path = pax_value(pax, "GNU.sparse.name")) entry.name = *path;
  if (const auto path = pax_value(pax, "linkpath")) entry.link = *path;
  if (const auto time = pax_value(pax, "mtime")) entry.mtime_unix = time_of(*time);
  if (const auto text = pax_value(pax, "size")) {
    const auto size = pax_number(*text);
    if (!size) return bad("bad PAX size");
    entry.size_bytes = *size;
  }

  const auto type = type_of(header.type);
  if (!type)
    return bad(fmt::format("entry '{}': unknown type '{}'", printable(entry.name, 256),
                           printable(std::string_view(&header.type, 1))));
  entry.type = *type;
  if (entry.type != TarType::file && entry.size_bytes != 0)
    return bad(fmt::format("entry '{}': only files may have a size", printable(entry.name, 256)));

  stored_left_ = entry.size_bytes;
  padding_ = padding_of(entry.size_bytes);
  sparse_ = {.pieces = {{0, entry.size_bytes}}, .size_bytes = entry.size_bytes, .stored_bytes = entry.size_bytes};
  piece_ = 0;
  piece_done_ = 0;
  return find_sparse_map(header, metadata, entry);
}

Status TarReader::find_sparse_map(const TarHeader& header, const Metadata& metadata, TarEntry& entry) {
  const bool gnu = header.type == 'S';
  const bool pax = metadata.pax && has_sparse_records(*metadata.pax);
  if (!gnu && !pax) return {};
  if (entry.type != TarType::file || (gnu && pax)) return bad("sparse file: two descriptions, or not a file");
  const NextTarBlock next_block = [this] { return block(); };
  std::uint64_t map_blocks = 0;
  auto map = gnu                                     ? gnu_sparse_map(header_block_, next_block)
             : has_sparse_map_in_data(*metadata.pax) ? pax_sparse_map_in_data(*metadata.pax, next_block, map_blocks)
                                                     : pax_sparse_map(*metadata.pax);
  if (!map) return tl::unexpected(map.error());
  if (map_blocks * kTarBlockBytes > stored_left_ || map->stored_bytes != stored_left_ - map_blocks * kTarBlockBytes)
    return bad("sparse file: its pieces are not what is stored");
  stored_left_ -= map_blocks * kTarBlockBytes;
  sparse_ = std::move(*map);
  entry.size_bytes = sparse_.size_bytes;
  entry.sparse = true;
  return {};
}

Result<TarReader::Piece> TarReader::data() {
  while (piece_ < sparse_.pieces.size() && piece_done_ == sparse_.pieces[piece_].bytes) {
    ++piece_;
    piece_done_ = 0;
  }
  if (piece_ == sparse_.pieces.size()) return Piece{};
  const SparsePiece& piece = sparse_.pieces[piece_];
  auto bytes = take(piece.bytes - piece_done_);
  if (!bytes) return tl::unexpected(bytes.error());
  if (bytes->empty()) return bad("cut in the data");
  const Piece given{.offset = piece.offset + piece_done_, .bytes = *bytes};
  piece_done_ += bytes->size();
  stored_left_ -= bytes->size();
  return given;
}

// Zeros only: what stands behind the end marker is seen by some readers and not by others.
Status TarReader::read_end() {
  while (true) {
    auto bytes = take(~std::uint64_t{0});
    if (!bytes) return tl::unexpected(bytes.error());
    if (bytes->empty()) return {};
    if (!is_zero_block(*bytes)) return bad("bytes after the end of the archive");
  }
}

Result<std::string> TarReader::block() { return take_exactly(kTarBlockBytes, "a sparse map"); }

Result<std::string_view> TarReader::take(std::uint64_t bytes_max) {
  if (rest_.empty()) {
    auto piece = source_.next();
    if (!piece) return piece;
    rest_ = *piece;
  }
  const auto taken = rest_.substr(0, std::min<std::uint64_t>(bytes_max, rest_.size()));
  rest_.remove_prefix(taken.size());
  return taken;
}

Result<std::string> TarReader::take_exactly(std::uint64_t bytes, std::string_view what) {
  std::string all;
  while (all.size() < bytes) {
    auto piece = take(bytes - all.size());
    if (!piece) return tl::unexpected(piece.error());
    if (piece->empty()) return bad(fmt::format("cut in {}", what));
    all += *piece;
  }
  return all;
}

// All of it or nothing: an archive may end with the last byte of a file, as those of umoci do and Go's reader takes
// them.
Status TarReader::skip_padding() {
  if (padding_ == 0) return {};
  auto first = take(padding_);
  if (!first) return tl::unexpected(first.error());
  const auto left = first->empty() ? 0 : padding_ - first->size();
  padding_ = 0;
  return skip(left);
}

Status TarReader::skip(std::uint64_t bytes) {
  while (bytes > 0) {
    auto piece = take(bytes);
    if (!piece) return tl::unexpected(piece.error());
    if (piece->empty()) return bad("cut in the data");
    bytes -= piece->size();
  }
  return {};
}

}  // namespace windlass
