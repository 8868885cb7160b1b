#include "sys/tar_sparse.h"

#include "base/text.h"
#include "sys/tar_header.h"

namespace windlass {
namespace {

constexpr std::size_t kPiecesMax = 65536;  // 1 MiB of memory

tl::unexpected<Error> bad(const std::string& why) { return fail(Kind::invalid, "sparse file: " + why); }

Status add_piece(SparseMap& map, std::uint64_t offset, std::uint64_t bytes) {
  const std::uint64_t end = map.pieces.empty() ? 0 : map.pieces.back().offset + map.pieces.back().bytes;
  if (offset < end) return bad("pieces overlap or are out of order");
  if (offset > map.size_bytes || bytes > map.size_bytes - offset) return bad("a piece lies beyond the end");
  if (map.pieces.size() >= kPiecesMax) return bad("over 65536 pieces");
  map.pieces.push_back({offset, bytes});
  map.stored_bytes += bytes;
  return {};
}

// `count` pairs of 12-byte numbers; an empty one ends the list.
Status add_gnu_pieces(SparseMap& map, std::string_view fields, std::size_t count) {
  for (std::size_t i = 0; i < count && fields[i * 24] != '\0'; ++i) {
    const auto offset = tar_number(fields.substr(i * 24, 12)), bytes = tar_number(fields.substr(i * 24 + 12, 12));
    if (!offset || !bytes || *offset < 0 || *bytes < 0) return bad("bad number in its map");
    auto added = add_piece(map, static_cast<std::uint64_t>(*offset), static_cast<std::uint64_t>(*bytes));
    if (!added) return added;
  }
  return {};
}

Result<SparseMap> with_size(const PaxRecords& records) {
  auto size = pax_value(records, "GNU.sparse.realsize");
  if (!size) size = pax_value(records, "GNU.sparse.size");
  const auto bytes = size ? pax_number(*size) : std::nullopt;
  if (!bytes) return bad("no size");
  return SparseMap{.size_bytes = *bytes};
}

Status add_texts(SparseMap& map, std::string_view offset, std::string_view bytes) {
  const auto from = pax_number(offset), count = pax_number(bytes);
  if (!from || !count) return bad("bad number in its map");
  return add_piece(map, *from, *count);
}

}  // namespace

bool has_sparse_records(const PaxRecords& records) {
  for (const auto& [key, value] : records)
    if (key.starts_with("GNU.sparse.") && key != "GNU.sparse.name") return true;
  return false;
}

bool has_sparse_map_in_data(const PaxRecords& records) { return pax_value(records, "GNU.sparse.major") == "1"; }

Result<SparseMap> gnu_sparse_map(std::string_view block, const NextTarBlock& next_block) {
  const auto size = tar_number(block.substr(483, 12));
  if (!size || *size < 0) return bad("no size");
  SparseMap map{.size_bytes = static_cast<std::uint64_t>(*size)};
  auto added = add_gnu_pieces(map, block.substr(386), 4);
  bool more = block[482] != 0;
  while (added && more) {
    const auto extension = next_block();
    if (!extension) return tl::unexpected(extension.error());
    added = add_gnu_pieces(map, *extension, 21);
    more = (*extension)[504] != 0;
    if (more && map.pieces.empty()) return bad("empty map");  // an endless chain of empty extensions
  }
  if (!added) return tl::unexpected(added.error());
  return map;
}

Result<SparseMap> pax_sparse_map(const PaxRecords& records) {
  auto map = with_size(records);
  if (!map) return map;
  Status added;
  if (const auto list = pax_value(records, "GNU.sparse.map")) {
    const auto numbers = list->empty() ? std::vector<std::string_view>() : split(*list, ',');
    if (numbers.size() % 2 != 0) return bad("odd map");
    for (std::size_t i = 0; added && i < numbers.size(); i += 2) added = add_texts(*map, numbers[i], numbers[i + 1]);
  } else {
    std::string_view offset;
    for (const auto& [key, value] : records) {
      if (key == "GNU.sparse.offset") offset = value;
      if (added && key == "GNU.sparse.numbytes") added = add_texts(*map, offset, value);
    }
  }
  if (!added) return tl::unexpected(added.error());
  return map;
}

Result<SparseMap> pax_sparse_map_in_data(const PaxRecords& records, const NextTarBlock& next_block,
                                         std::uint64_t& blocks) {
  auto map = with_size(records);
  if (!map) return map;
  std::string text;
  blocks = 0;
  const auto next_number = [&]() -> Result<std::uint64_t> {
    std::size_t end;
    while ((end = text.find('\n')) == text.npos) {
      if (text.size() > 32) return bad("bad number in its map");
      auto block = next_block();
      if (!block) return tl::unexpected(block.error());
      text += *block;
      ++blocks;
    }
    const auto number = pax_number(std::string_view(text).substr(0, end));
    text.erase(0, end + 1);
    if (!number) return bad("bad number in its map");
    return *number;
  };

  const auto count = next_number();
  if (!count) return tl::unexpected(count.error());
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto offset = next_number();
    const auto bytes = offset ? next_number() : offset;
    if (!bytes) return tl::unexpected(bytes.error());
    if (auto added = add_piece(*map, *offset, *bytes); !added) return tl::unexpected(added.error());
  }
  return map;
}

}  // namespace windlass
