#include "sys/pax_records.h"

#include <charconv>

namespace windlass {

Result<PaxRecords> parse_pax_records(std::string_view content) {
  PaxRecords records;
  while (!content.empty()) {
    const auto space = content.substr(0, 12).find(' ');
    if (space == content.npos) return fail(Kind::invalid, "PAX record without a length");
    const auto length = pax_number(content.substr(0, space));
    if (!length || *length > content.size() || *length < space + 3)
      return fail(Kind::invalid, "PAX record with a wrong length");
    auto record = content.substr(space + 1, *length - space - 1);
    content.remove_prefix(*length);
    if (!record.ends_with('\n')) return fail(Kind::invalid, "PAX record without a line end");
    record.remove_suffix(1);
    const auto equals = record.find('=');
    if (equals == record.npos || equals == 0) return fail(Kind::invalid, "PAX record without key and '='");
    records.emplace_back(record.substr(0, equals), record.substr(equals + 1));
  }
  return records;
}

std::optional<std::string_view> pax_value(const PaxRecords& records, std::string_view key) {
  for (auto record = records.rbegin(); record != records.rend(); ++record)
    if (record->first == key) return record->second;
  return std::nullopt;
}

std::optional<std::uint64_t> pax_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || end != text.data() + text.size() || number > std::uint64_t{1} << 62) return std::nullopt;
  return number;
}

}  // namespace windlass
