#include "sops/metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace windlass::sops {
namespace {

constexpr std::size_t kRecipientsBytesMax = 1'000;  // in a message
// What sops writes has four levels and some hundred values; names in a file could ask for far more than it has bytes.
constexpr std::size_t kLevelsMax = 8, kValuesMax = 4'000;
constexpr std::size_t kAgeEntriesMax = 1'000;  // each costs a try with every key
constexpr std::string_view kKey = "sops", kPrefix = "sops_";
constexpr std::string_view kMap = "__map_", kList = "__list_";

std::string text_at(const Value& map, std::string_view key) {
  const auto* value = map.find(key);
  return value == nullptr || value->kind == Value::Kind::list || value->kind == Value::Kind::map ? "" : value->text;
}

// The value at "age__list_0__map_enc", made with all that is above it (Q23).
class Places {
 public:
  // Null when the name contradicts another, or asks for too much.
  Value* place(std::string_view path) {
    auto* at = &root_;
    bool is_list = false;
    for (std::size_t level = 0; level < kLevelsMax; ++level) {
      const auto next = std::min(path.find(kMap), path.find(kList));
      const auto name = path.substr(0, next);
      at = is_list ? item(*at, name) : member(*at, name);
      if (at == nullptr || next == path.npos) return at;
      is_list = path.substr(next).starts_with(kList);
      path.remove_prefix(next + (is_list ? kList : kMap).size());
    }
    return nullptr;
  }
  Value take() { return std::move(root_); }

 private:
  Value* item(Value& list, std::string_view name) {
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
    if (list.kind == Value::Kind::map || error != std::errc() || end != name.data() + name.size()) return nullptr;
    list.kind = Value::Kind::list;
    const auto size = list.items.size();
    if (index >= size) {
      if (index > 1'000 || !count(index + 1 - size)) return nullptr;
      list.items.resize(index + 1);
    }
    return &list.items[index];
  }

  Value* member(Value& map, std::string_view name) {
    if (map.kind == Value::Kind::list) return nullptr;
    map.kind = Value::Kind::map;
    const auto is_it = [&](const Member& member) { return member.key == name; };
    const auto found = std::find_if(map.members.begin(), map.members.end(), is_it);
    if (found != map.members.end()) return &found->value;
    if (!count(1)) return nullptr;
    return &map.members.emplace_back(Member{std::string(name), {}}).value;
  }

  bool count(std::size_t more) { return (values_ += more) <= kValuesMax; }

  Value root_{Value::Kind::map, {}, {}, {}};
  std::size_t values_ = 0;
};

// ini and dotenv: nested names in one, "\n" for line feeds.
std::optional<Value> unflattened(const std::vector<Member>& members) {
  Places places;
  for (const auto& member : members) {
    auto* at = places.place(member.key);
    if (at == nullptr || at->kind != Value::Kind::null) return std::nullopt;
    std::string text;
    const std::string_view written = member.value.text;
    for (std::size_t i = 0; i < written.size(); ++i) {
      const bool is_line_feed = written[i] == '\\' && i + 1 < written.size() && written[i + 1] == 'n';
      text += is_line_feed ? '\n' : written[i];
      i += is_line_feed ? 1 : 0;
    }
    *at = text_value(std::move(text));
  }
  return places.take();
}

struct KeyType {
  std::string_view key, shown, name;  // in the metadata, in messages, and what of an entry names it
};
constexpr KeyType kKeyTypes[] = {{"pgp", "pgp", "fp"},
                                 {"kms", "kms", "arn"},
                                 {"gcp_kms", "gcp_kms", "resource_id"},
                                 {"azure_kv", "azure_kv", "vault_url"},
                                 {"hc_vault", "hc_vault", "vault_address"},
                                 {"hckms", "hckms", "key_id"}};

void add_recipients(const Value& group, Metadata& metadata) {
  if (const auto* entries = group.find("age"))
    for (const auto& entry : entries->items)
      if (metadata.age.size() < kAgeEntriesMax)
        metadata.age.push_back({text_at(entry, "recipient"), text_at(entry, "enc")});
  for (const auto& type : kKeyTypes)
    if (const auto* entries = group.find(type.key))
      for (const auto& entry : entries->items)
        metadata.others.push_back(fmt::format("{} {}", type.shown, printable(text_at(entry, type.name), 200)));
}

Metadata read_metadata(const Value& map) {
  Metadata metadata{.version = text_at(map, "version"),
                    .mac = text_at(map, "mac"),
                    .last_modified = text_at(map, "lastmodified"),
                    .unencrypted_suffix = text_at(map, "unencrypted_suffix"),
                    .encrypted_suffix = text_at(map, "encrypted_suffix"),
                    .unencrypted_regex = text_at(map, "unencrypted_regex"),
                    .encrypted_regex = text_at(map, "encrypted_regex"),
                    .has_comment_rule = !text_at(map, "unencrypted_comment_regex").empty() ||
                                        !text_at(map, "encrypted_comment_regex").empty(),
                    .mac_only_encrypted = lower(text_at(map, "mac_only_encrypted")) == "true"};
  const bool has_rule = !metadata.unencrypted_suffix.empty() || !metadata.encrypted_suffix.empty() ||
                        !metadata.unencrypted_regex.empty() || !metadata.encrypted_regex.empty() ||
                        metadata.has_comment_rule;
  if (!has_rule) metadata.unencrypted_suffix = "_unencrypted";
  add_recipients(map, metadata);
  if (const auto* groups = map.find("key_groups"); groups != nullptr && !groups->items.empty()) {
    metadata.key_groups = groups->items.size();
    for (const auto& group : groups->items) add_recipients(group, metadata);
  }
  return metadata;
}

bool is_metadata(const Metadata& metadata) { return !metadata.mac.empty() && !metadata.version.empty(); }

// A text that parse() would not read, judged by its lines: "sops:" at the left of a YAML file, or the section "[sops]",
// with a MAC and a version in it, or "sops_mac=" and "sops_version=". Of JSON, which may be all in one line, by its
// keys.
std::optional<Metadata> metadata_in_lines(std::string_view text, Format format) {
  Metadata metadata;
  if (format == Format::json || format == Format::binary) {
    const auto has = [&](std::string_view key) { return text.find(key) != text.npos; };
    if (!has("\"sops\"") || !has("\"mac\"") || !has("\"version\"")) return std::nullopt;
    metadata.mac = metadata.version = "?";
    return metadata;
  }
  bool is_inside = false;
  for (const auto line : split(text, '\n')) {
    if (format == Format::yaml && !line.empty() && line.front() != ' ') is_inside = line.starts_with("sops:");
    if (format == Format::ini && line.starts_with('[')) is_inside = trim(line) == "[sops]";
    const auto at = line.find(format == Format::yaml ? ':' : '=');
    if (format == Format::dotenv) is_inside = line.starts_with(kPrefix);
    if (!is_inside || at == line.npos) continue;
    auto key = trim(line.substr(0, at));
    if (format == Format::dotenv) key.remove_prefix(kPrefix.size());
    if (key.starts_with("- ")) key = trim(key.substr(2));
    const auto value = std::string(trim(line.substr(at + 1)));
    if (key == "mac") metadata.mac = value;
    if (key == "version") metadata.version = value;
    if (key.ends_with("recipient") && metadata.age.size() < kAgeEntriesMax) metadata.age.push_back({value, ""});
    if (key == "fp" || key.ends_with("map_fp")) metadata.others.push_back(fmt::format("pgp {}", printable(value, 200)));
  }
  return is_metadata(metadata) ? std::optional(metadata) : std::nullopt;
}

std::optional<EncryptedFile> find_in(std::string_view path, std::string_view text, Format format) {
  auto branches = parse(text, format, path);
  EncryptedFile file{.format = format, .metadata = {}, .branches = {}};
  if (branches) {
    auto metadata = take_metadata(*branches, format);
    if (!metadata) return std::nullopt;
    file.metadata = *std::move(metadata);
    file.branches = *std::move(branches);
    return file;
  }
  if (branches.error().kind != Kind::conflict) return std::nullopt;
  auto metadata = metadata_in_lines(text, format);
  if (!metadata) return std::nullopt;
  file.metadata = *std::move(metadata);
  file.is_read = false;
  return file;
}

}  // namespace

std::string Metadata::recipients() const {
  std::vector<std::string> all;
  for (const auto& entry : age)
    if (!entry.recipient.empty()) all.push_back(entry.recipient);
  all.insert(all.end(), others.begin(), others.end());
  return all.empty() ? "a key that it does not name" : printable(join(all, ", "), kRecipientsBytesMax);
}

std::optional<Metadata> take_metadata(Branches& branches, Format format) {
  if (branches.empty()) return std::nullopt;
  auto& members = branches.front().members;
  std::optional<Value> map;
  if (format == Format::dotenv) {
    std::vector<Member> flat;
    for (const auto& member : members)
      if (member.key.starts_with(kPrefix)) flat.push_back({member.key.substr(kPrefix.size()), member.value});
    map = unflattened(flat);
  } else if (const auto* value = branches.front().find(kKey); value != nullptr && value->kind == Value::Kind::map) {
    map = format == Format::ini ? unflattened(value->members) : std::optional(*value);
  }
  if (!map) return std::nullopt;
  auto metadata = read_metadata(*map);
  if (!is_metadata(metadata)) return std::nullopt;
  for (auto& branch : branches)
    std::erase_if(branch.members, [&](const Member& member) {
      return format == Format::dotenv ? member.key.starts_with(kPrefix) : member.key == kKey;
    });
  return metadata;
}

std::optional<EncryptedFile> find_encrypted(std::string_view path, std::string_view text) {
  if (text.size() > kEncryptedBytesMax || text.find("ENC[") == text.npos || text.find(kKey) == text.npos)
    return std::nullopt;
  const auto named = format_of(path);
  if (auto file = find_in(path, text, named)) {
    if (named != Format::binary || !file->is_read || file->branches.front().find("data") != nullptr) return file;
  }
  for (const auto format : {Format::json, Format::yaml, Format::dotenv, Format::ini})
    if (format != named)
      if (auto file = find_in(path, text, format)) return file;
  return std::nullopt;
}

}  // namespace windlass::sops
