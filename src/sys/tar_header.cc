#include "sys/tar_header.h"

#include <algorithm>

namespace windlass {
namespace {

constexpr std::int64_t kNumberMax = std::int64_t{1} << 62;

// A text field: up to its first NUL, or the whole of it.
std::string text(std::string_view block, std::size_t at, std::size_t bytes) {
  const auto field = block.substr(at, bytes);
  return std::string(field.substr(0, field.find('\0')));
}

std::optional<std::int64_t> base_256(std::string_view field) {
  const bool negative = (static_cast<unsigned char>(field[0]) & 0x40) != 0;
  std::int64_t number = negative ? -1 : 0;
  for (std::size_t i = 0; i < field.size(); ++i) {
    unsigned char byte = static_cast<unsigned char>(field[i]);
    if (i == 0) byte = negative ? byte | 0x80 : byte & 0x7f;
    if (number >= (kNumberMax >> 8) || number < -(kNumberMax >> 8)) return std::nullopt;
    number = number * 256 + byte;
  }
  return number;
}

std::optional<std::int64_t> octal(std::string_view field) {
  const auto start = field.find_first_not_of(' ');
  if (start == field.npos) return 0;
  field.remove_prefix(start);
  std::int64_t number = 0;
  std::size_t digits = 0;
  for (; digits < field.size() && field[digits] >= '0' && field[digits] <= '7'; ++digits) {
    if (number >= (kNumberMax >> 3)) return std::nullopt;
    number = number * 8 + (field[digits] - '0');
  }
  // What follows the digits is space or NUL; a field of NULs alone is 0.
  const auto rest = field.substr(digits);
  if (rest.find_first_not_of(std::string_view(" \0", 2)) != rest.npos) return std::nullopt;
  return number;
}

}  // namespace

bool is_zero_block(std::string_view block) {
  return std::all_of(block.begin(), block.end(), [](char byte) { return byte == 0; });
}

bool is_tar_header(std::string_view block) {
  if (block.size() < kTarBlockBytes) return false;
  const auto stored = octal(block.substr(148, 8));
  if (!stored || *stored == 0) return false;
  // Old archives have the sum of signed bytes; the field itself counts as spaces.
  std::int64_t plain = 8 * ' ', with_sign = 8 * ' ';
  for (std::size_t i = 0; i < kTarBlockBytes; ++i) {
    if (i >= 148 && i < 156) continue;
    plain += static_cast<unsigned char>(block[i]);
    with_sign += static_cast<signed char>(block[i]);
  }
  return *stored == plain || *stored == with_sign;
}

std::optional<std::int64_t> tar_number(std::string_view field) {
  if (field.empty()) return std::nullopt;
  return (static_cast<unsigned char>(field[0]) & 0x80) != 0 ? base_256(field) : octal(field);
}

Result<TarHeader> parse_tar_header(std::string_view block) {
  if (!is_tar_header(block)) return fail(Kind::invalid, "wrong header check sum");
  TarHeader header;
  header.name = text(block, 0, 100);
  header.link = text(block, 157, 100);
  header.type = block[156] == '\0' ? '0' : block[156];
  // Seventh edition knows no folders: a file whose name ends in '/' is one.
  if (block[156] == '\0' && header.name.ends_with('/')) header.type = '5';
  if (block.substr(257, 6) == std::string_view("ustar\0", 6)) {  // GNU's is "ustar " and has no prefix
    if (const auto prefix = text(block, 345, 155); !prefix.empty()) header.name = prefix + "/" + header.name;
  }
  const auto size = tar_number(block.substr(124, 12));
  if (!size || *size < 0) return fail(Kind::invalid, "bad size");
  header.size_bytes = static_cast<std::uint64_t>(*size);
  const auto mode = tar_number(block.substr(100, 8));
  if (!mode) return fail(Kind::invalid, "bad mode");
  header.mode = static_cast<unsigned>(*mode & 07777);
  // Owner and group are never read: whatever they are, the files are ours (reliability 5).
  header.mtime_unix = tar_number(block.substr(136, 12)).value_or(0);
  return header;
}

}  // namespace windlass
