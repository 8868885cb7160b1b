// Files of lines: dotenv and ini, each in the dialect of sops.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/text.h"
#include "sops/formats.h"

namespace windlass::sops {
namespace {

constexpr std::string_view kDefaultSection = "DEFAULT";

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  for (std::size_t at = 0;;) {
    const auto found = text.find(from, at);
    result += text.substr(at, found == text.npos ? text.npos : found - at);
    if (found == text.npos) return result;
    result += to;
    at = found + from.size();
  }
}

// How a value stands in a line.
Result<std::string> line_text(const Member& member) {
  if (!member.value.items.empty() || !member.value.members.empty())
    return fail(Kind::invalid, fmt::format("key {} holds more than one value", printable(member.key, 100)));
  if (member.value.kind == Value::Kind::boolean) return lower(member.value.text);
  return member.value.text;
}

tl::unexpected<Error> only_sops(std::string_view name, std::size_t line) {
  return fail(Kind::conflict, fmt::format("{}:{}: a value is written in a way that only sops reads", name, line));
}

// Before a line is read, as each holds one value at most.
Status check_lines(std::string_view text, std::string_view name) {
  if (static_cast<std::size_t>(std::ranges::count(text, '\n')) <= kEncryptedValuesMax) return {};
  return fail(Kind::conflict, fmt::format("{}: more than {} lines", name, kEncryptedValuesMax));
}

class IniReader {
 public:
  explicit IniReader(std::string_view name) : name_(name) { root_.kind = Value::Kind::map; }

  Result<Branches> read(std::string_view text) {
    enter(kDefaultSection);  // sops always has it, first
    for (const auto part : split(text, '\n')) {
      ++line_;
      const auto line = trim(part);
      if (line.empty() || line.front() == '#' || line.front() == ';') continue;
      if (auto good = line.front() == '[' ? read_section(line) : read_key(line); !good)
        return tl::unexpected(good.error());
    }
    return Branches{std::move(root_)};
  }

 private:
  Status read_section(std::string_view line) {
    const auto end = line.rfind(']');
    if (end == line.npos) return fail(Kind::invalid, fmt::format("{}:{}: a section without its end", name_, line_));
    const auto rest = trim(line.substr(end + 1));
    if (!rest.empty()) return only_sops(name_, line_);
    enter(trim(line.substr(1, end - 1)));
    return {};
  }

  Status read_key(std::string_view line) {
    const auto at = line.find_first_of("=:");
    if (at == line.npos) return fail(Kind::invalid, fmt::format("{}:{}: neither a section nor a key", name_, line_));
    const auto key = trim(line.substr(0, at)), value = trim(line.substr(at + 1));
    const bool is_odd_key = key.empty() || key == "-" || key.find_first_of("\"`") != key.npos;
    // quotes that are taken off, comments behind a value, lines that go on
    const bool is_odd_value = !value.empty() && (std::string_view("\"'`").find(value.front()) != value.npos ||
                                                 value.find_first_of("#;") != value.npos || value.back() == '\\');
    auto& members = section_->value.members;
    if (is_odd_key || is_odd_value || !keys_.emplace(section_number_, key).second) return only_sops(name_, line_);
    members.push_back({std::string(key), text_value(std::string(value))});
    return {};
  }

  void enter(std::string_view name) {
    const bool is_first = name == kDefaultSection && !root_.members.empty();
    if (!is_first) root_.members.push_back({std::string(name), {Value::Kind::map, {}, {}, {}}});
    section_ = is_first ? &root_.members.front() : &root_.members.back();
    section_number_ = is_first ? 0 : root_.members.size() - 1;
  }

  std::string_view name_;
  std::size_t line_ = 0;
  Value root_;
  Member* section_ = nullptr;
  std::size_t section_number_ = 0;
  std::set<std::pair<std::size_t, std::string_view>> keys_;  // number of the section and key, in the text
};

Result<std::string> ini_value(const Member& member) {
  auto text = line_text(member);
  if (!text) return text;
  const bool has_edges = trim(*text).size() != text->size();
  if (text->find_first_of("\n`") != text->npos) return "\"\"\"" + *text + "\"\"\"";
  if (text->find_first_of("#;") != text->npos) return "`" + *text + "`";
  if (has_edges) return "\"" + *text + "\"";
  return text;
}

}  // namespace

// NAME=value to the end of the line, "\n" for a line feed; no quotes, no spaces, nothing else counts.
Result<Branches> parse_dotenv_branches(std::string_view text, std::string_view name) {
  if (auto checked = check_lines(text, name); !checked) return tl::unexpected(checked.error());
  Value branch{Value::Kind::map, {}, {}, {}};
  std::size_t number = 0;
  for (const auto line : split(text, '\n')) {
    ++number;
    if (line.empty()) continue;
    if (line.front() == '#') {
      branch.members.push_back({"", {Value::Kind::comment, std::string(line.substr(1)), {}, {}}});
      continue;
    }
    const auto equals = line.find('=');
    if (equals == line.npos) return fail(Kind::invalid, fmt::format("{}:{}: no '=' in the line", name, number));
    branch.members.push_back(
        {std::string(line.substr(0, equals)), text_value(replaced(line.substr(equals + 1), "\\n", "\n"))});
  }
  return Branches{std::move(branch)};
}

Result<Branches> parse_ini_branches(std::string_view text, std::string_view name) {
  if (auto checked = check_lines(text, name); !checked) return tl::unexpected(checked.error());
  return IniReader(name).read(text);
}

Result<std::string> emit_dotenv(const Value& branch) {
  std::string text;
  for (const auto& member : branch.members) {
    const auto value = line_text(member);
    if (!value) return value;
    text += member.value.kind == Value::Kind::comment ? "#" + *value + "\n"
                                                      : member.key + "=" + replaced(*value, "\n", "\\n") + "\n";
  }
  return text;
}

Result<std::string> emit_ini(const Value& branch) {
  std::string text;
  for (const auto& section : branch.members) {
    if (section.value.kind != Value::Kind::map)
      return fail(Kind::invalid, fmt::format("key {} is in no section", printable(section.key, 100)));
    if (section.key == kDefaultSection && section.value.members.empty()) continue;
    text += fmt::format("{}[{}]\n", text.empty() ? "" : "\n", section.key);
    for (const auto& member : section.value.members) {
      const auto value = ini_value(member);
      if (!value) return value;
      text += fmt::format("{} = {}\n", member.key, *value);
    }
  }
  return text;
}

}  // namespace windlass::sops
