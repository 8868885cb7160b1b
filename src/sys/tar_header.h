// The raw 512-byte header of a tar entry: seventh edition, ustar, PAX and GNU (POSIX pax, "ustar Interchange Format").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace windlass {

constexpr std::size_t kTarBlockBytes = 512;

struct TarHeader {
  std::string name;  // with the ustar prefix; as it stands in the archive
  std::string link;
  char type = '0';  // the letter; '0' for seventh edition's NUL
  unsigned mode = 0;
  std::uint64_t size_bytes = 0;
  std::int64_t mtime_unix = 0;  // clamped to what 64 bits hold
};

// A block of zeros: an end marker.
bool is_zero_block(std::string_view block);

// Its check sum is right: the only sign by which seventh edition's archives are known.
bool is_tar_header(std::string_view block);

// Kind::invalid: wrong check sum, a size that is negative, not a number, or over 2^62.
Result<TarHeader> parse_tar_header(std::string_view block);

// A numeric field: octal text, or base 256 when its first bit is set. Nothing if it is neither, or over 2^62 either
// way.
std::optional<std::int64_t> tar_number(std::string_view field);

}  // namespace windlass
