#include "sys/tar_writer.h"

#include <fmt/format.h>

#include "sys/tar_header.h"

namespace windlass {
namespace {

// What the fields of a ustar header hold.
constexpr std::size_t kNameBytesMax = 100, kPrefixBytesMax = 155, kLinkBytesMax = 100;
constexpr std::uint64_t kSizeMax = (1ull << 33) - 1;  // eleven octal digits

struct SplitName {
  std::string_view prefix, name;
};

// At the first slash that leaves a rest which fits; an empty name where none does.
SplitName split_name(std::string_view full) {
  if (full.size() <= kNameBytesMax) return {"", full};
  const auto slash = full.find('/', full.size() - kNameBytesMax - 1);
  if (slash == full.npos || slash > kPrefixBytesMax || slash + 1 == full.size()) return {};
  return {full.substr(0, slash), full.substr(slash + 1)};
}

// "27 path=…\n": the number counts its own digits too.
std::string pax_record(std::string_view key, std::string_view value) {
  const auto rest = key.size() + value.size() + 3;
  auto bytes = rest + 1;
  while (fmt::formatted_size("{}", bytes) + rest != bytes) ++bytes;
  return fmt::format("{} {}={}\n", bytes, key, value);
}

struct HeaderFields {
  SplitName name;
  char type;
  unsigned mode;
  std::uint64_t size_bytes;
  std::string_view link;
};

std::string header_block(const HeaderFields& fields) {
  std::string block(kTarBlockBytes, '\0');
  const auto put = [&block](std::size_t at, std::string_view text) { block.replace(at, text.size(), text); };
  put(0, fields.name.name);
  put(100, fmt::format("{:07o}", fields.mode));
  put(108, "0000000");  // user
  put(116, "0000000");  // group
  put(124, fmt::format("{:011o}", fields.size_bytes));
  put(136, "00000000000");  // time
  block[156] = fields.type;
  put(157, fields.link);
  put(257, std::string_view("ustar\0"
                            "00",
                            8));
  put(345, fields.name.prefix);
  put(148, "        ");
  unsigned sum = 0;
  for (const unsigned char byte : block) sum += byte;
  put(148, fmt::format("{:06o}", sum) + '\0');
  return block;
}

std::string padding_of(std::uint64_t bytes) {
  return std::string((kTarBlockBytes - bytes % kTarBlockBytes) % kTarBlockBytes, '\0');
}

}  // namespace

Status TarWriter::add_folder(std::string_view name, unsigned mode) {
  return write_entry({.name = std::string(name) + '/', .type = '5', .mode = mode});
}

Status TarWriter::add_link(std::string_view name, std::string_view target) {
  return write_entry({.name = std::string(name), .type = '2', .mode = 0777, .link = target});
}

Status TarWriter::begin_file(std::string_view name, unsigned mode, std::uint64_t size_bytes) {
  left_bytes_ = written_bytes_ = size_bytes;
  return write_entry({.name = std::string(name), .type = '0', .mode = mode, .size_bytes = size_bytes});
}

Status TarWriter::data(std::string_view bytes) {
  if (bytes.size() > left_bytes_) return fail(Kind::invalid, "more bytes than were announced");
  left_bytes_ -= bytes.size();
  return sink_.write(bytes);
}

Status TarWriter::end_file() {
  if (left_bytes_ > 0) return fail(Kind::invalid, fmt::format("{} bytes less than were announced", left_bytes_));
  return sink_.write(padding_of(written_bytes_));
}

Status TarWriter::finish() {
  auto written = sink_.write(std::string(2 * kTarBlockBytes, '\0'));
  return written ? sink_.finish() : written;
}

// A PAX header stands for what does not fit; the fields behind it are then cut, or 0, and no reader looks at them.
Status TarWriter::write_entry(const Entry& entry) {
  std::string records;
  auto name = split_name(entry.name);
  if (name.name.empty()) {
    records += pax_record("path", entry.name);
    name = {"", std::string_view(entry.name).substr(0, kNameBytesMax)};
  }
  if (entry.link.size() > kLinkBytesMax) records += pax_record("linkpath", entry.link);
  if (entry.size_bytes > kSizeMax) records += pax_record("size", std::to_string(entry.size_bytes));
  if (!records.empty()) {
    const auto header = header_block({{"", "././@PaxHeader"}, 'x', 0644, records.size(), ""});
    if (auto written = sink_.write(header + records + padding_of(records.size())); !written) return written;
  }
  return sink_.write(header_block({name, entry.type, entry.mode, entry.size_bytes > kSizeMax ? 0 : entry.size_bytes,
                                   entry.link.substr(0, kLinkBytesMax)}));
}

}  // namespace windlass
