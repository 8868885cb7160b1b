// The records of a PAX header: "<length> <key>=<value>\n", again and again (POSIX pax, "pax Extended Header").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace windlass {

using PaxRecords = std::vector<std::pair<std::string, std::string>>;  // in their order; a later one counts

// Kind::invalid: a wrong length, no '=', no line end, an empty key.
Result<PaxRecords> parse_pax_records(std::string_view content);

// The value that counts, if there is one.
std::optional<std::string_view> pax_value(const PaxRecords& records, std::string_view key);

// Decimal digits only, up to 2^62.
std::optional<std::uint64_t> pax_number(std::string_view text);

}  // namespace windlass
