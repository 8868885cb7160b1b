// Test helper: tar archives built byte by byte, the broken and hostile ones too.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace windlass {

// The fields of one header as they are to stand there; the check sum is made for them.
struct TarFields {
  std::string name;
  char type = '0';
  std::string content = {};
  std::string link = {};
  std::string prefix = {};
  std::string mode = "0000644";
  std::string owner = "0000000";  // user and group
  std::string size = {};          // the content's own if empty
  std::string mtime = "14524770400";
  std::string_view magic = std::string_view(
      "ustar\0"
      "00",
      8);
};

// `bytes` bytes that hold `number` in base 256, negative ones too.
inline std::string base_256_field(std::int64_t number, std::size_t bytes) {
  std::string field(bytes, number < 0 ? '\xff' : '\0');
  for (std::size_t at = bytes; at-- > 1; number >>= 8) field[at] = static_cast<char>(number & 0xff);
  field[0] = static_cast<char>(field[0] | 0x80);
  return field;
}

inline std::string pax_record(std::string_view key, std::string_view value) {
  const auto rest = fmt::format(" {}={}\n", key, value);
  auto bytes = rest.size() + 1;
  while (fmt::formatted_size("{}", bytes) + rest.size() != bytes) ++bytes;
  return fmt::format("{}{}", bytes, rest);
}

class TarBuilder {
 public:
  TarBuilder& file(std::string name, std::string content = "x", std::string mode = "0000644") {
    return entry({.name = std::move(name), .content = std::move(content), .mode = std::move(mode)});
  }
  TarBuilder& folder(std::string name, std::string mode = "0000755") {
    return entry({.name = std::move(name), .type = '5', .mode = std::move(mode)});
  }
  TarBuilder& link(std::string name, std::string target) {
    return entry({.name = std::move(name), .type = '2', .link = std::move(target)});
  }
  TarBuilder& hard_link(std::string name, std::string target) {
    return entry({.name = std::move(name), .type = '1', .link = std::move(target)});
  }
  TarBuilder& entry(const TarFields& fields) {
    bytes_ += header(fields) + fields.content;
    bytes_.resize((bytes_.size() + 511) / 512 * 512);
    return *this;
  }
  TarBuilder& pax(const std::vector<std::pair<std::string, std::string>>& records) {
    std::string content;
    for (const auto& [key, value] : records) content += pax_record(key, value);
    return metadata('x', std::move(content));
  }
  // Types x and g are PAX, L and K are GNU's long name and long link.
  TarBuilder& metadata(char type, std::string content) {
    return entry({.name = "././@LongLink", .type = type, .content = std::move(content)});
  }
  TarBuilder& long_name(std::string name) { return metadata('L', std::move(name) + '\0'); }
  TarBuilder& long_link(std::string target) { return metadata('K', std::move(target) + '\0'); }
  TarBuilder& raw(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }
  TarBuilder& end() { return raw(std::string(1024, '\0')); }

  operator std::string() const { return bytes_; }  // NOLINT: rows of tables read better without a call
  const std::string& bytes() const { return bytes_; }

  static std::string header(const TarFields& fields) {
    std::string block(512, '\0');
    const auto put = [&block](std::size_t at, std::string_view text) { block.replace(at, text.size(), text); };
    put(0, fields.name);
    put(100, fields.mode);
    put(108, fields.owner);
    put(116, fields.owner);
    put(124, fields.size.empty() ? fmt::format("{:011o}", fields.content.size()) : fields.size);
    put(136, fields.mtime);
    block[156] = fields.type;
    put(157, fields.link);
    put(257, fields.magic);
    put(345, fields.prefix);
    return sealed(std::move(block));
  }
  // `block` with the check sum it should have.
  static std::string sealed(std::string block) {
    block.replace(148, 8, "        ");
    unsigned sum = 0;
    for (const unsigned char byte : block) sum += byte;
    block.replace(148, 7, fmt::format("{:06o}", sum) + '\0');
    return block;
  }

 private:
  std::string bytes_;
};

}  // namespace windlass
