#include "config/setting_reader.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include "base/text.h"
#include "config/scalars.h"
#include "sys/crypto.h"
#include "sys/files.h"

namespace windlass {
namespace {

constexpr std::uint64_t kFileBytesMax =
    1 << 20;  // keys, passwords and policies are small; a device or a log is a mistake

}  // namespace

std::string shown(std::string_view value) { return fmt::format("\"{}\"", printable(value, 200)); }

std::string SettingReader::text(const std::string& name) const {
  asked_for_.insert(name);
  const auto found = environment_.find(name);
  return found == environment_.end() ? "" : found->second;
}

std::vector<std::string> SettingReader::list(const std::string& name) const { return comma_list(text(name)); }

std::vector<std::string> SettingReader::names_with_prefix(std::string_view prefix) const {
  std::vector<std::string> names;
  for (auto at = environment_.lower_bound(std::string(prefix));
       at != environment_.end() && at->first.starts_with(prefix); ++at)
    if (!at->second.empty()) names.push_back(at->first);
  return names;
}

void SettingReader::flag(const std::string& name, bool& target) {
  const auto value = text(name);
  if (value.empty()) return;
  if (const auto parsed = parse_bool(value))
    target = *parsed;
  else
    fault(fmt::format("{}: {} is not a boolean, expected true or false", name, shown(value)));
}

std::uint64_t SettingReader::number_or(const std::string& name, Range range, std::uint64_t otherwise) {
  const auto value = text(name);
  if (value.empty()) return otherwise;
  const auto parsed = parse_unsigned(value);
  if (parsed && *parsed >= range.least && *parsed <= range.most) return *parsed;
  fault(fmt::format("{}: {} is not a whole number from {} to {}", name, shown(value), range.least, range.most));
  return otherwise;
}

void SettingReader::duration(const std::string& name, std::chrono::milliseconds least,
                             std::chrono::milliseconds& target) {
  const auto value = text(name);
  if (value.empty()) return;
  const auto parsed = parse_duration(value);
  if (!parsed)
    fault(fmt::format("{}: {} is not a duration such as 90s, 30m or 1h30m", name, shown(value)));
  else if (*parsed < least)
    fault(fmt::format("{}: {} is too short, expected at least {}ms", name, shown(value), least.count()));
  else
    target = std::chrono::duration_cast<std::chrono::milliseconds>(*parsed);
}

Secret SettingReader::secret(const std::string& name, std::string_view both) {
  return Secret(value_or_file(name, true, both));
}

std::string SettingReader::text_or_file(const std::string& name) { return value_or_file(name, false, ""); }

std::string SettingReader::value_or_file(const std::string& name, bool is_secret, std::string_view both) {
  const auto value = text(name);
  const auto twin = name + "_FILE";
  const auto path = text(twin);
  if (path.empty()) return value;
  const auto content = value_file(twin, path, is_secret);
  if (content.empty()) return value;
  if (!value.empty())
    fault(both.empty() ? fmt::format("both secrets are set, please use one or the other: {} or {}", name, twin)
                       : std::string(both));
  return content;
}

void SettingReader::note_file(const std::string& variable, std::string_view content) {
  file_hashes_[variable] = content.empty() ? "" : sha256_hex(content);
}

// The trimmed content; "" after a fault, or with a warning when there is none.
std::string SettingReader::value_file(const std::string& variable, const std::string& path, bool is_secret) {
  const auto read = read_file(path, kFileBytesMax);
  if (!read) {
    fault(fmt::format("{}: {}", variable, read.error().message));
    return "";
  }
  std::string content(trim(*read));
  note_file(variable, content);
  if (content.empty()) warn(fmt::format("{}: {} is empty", variable, shown(path)));
  const bool may_be_encrypted = content.find("ENC[") != content.npos && content.find("sops") != content.npos;
  if (may_be_encrypted && !decrypt_) {
    fault(fmt::format("{}: {} is encrypted with SOPS, only windlass serve decrypts it: give it in plain text", variable,
                      shown(path)));
    return "";
  }
  if (may_be_encrypted) {
    const auto plain = decrypt_(path, content);
    if (!plain) {
      fault(fmt::format("failed to decrypt {} content: {}", variable, plain.error().message));
      return "";
    }
    if (*plain) return std::string(trim(**plain));  // whoever reads the file reads no secret
  }
  struct stat status {};
  if (is_secret && ::stat(path.c_str(), &status) == 0 && (status.st_mode & S_IROTH) != 0)
    warn(fmt::format("{}: {} can be read by every user of this machine: take the right away with chmod o-r", variable,
                     shown(path)));
  return content;
}

}  // namespace windlass
