#include "secrets/onepassword_connect.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/parallel.h"
#include "base/text.h"
#include "secrets/onepassword_reference.h"
#include "sys/query.h"

namespace windlass {
namespace {

using Reference = OnePasswordReference;
using Item = Result<json::object>;

constexpr std::size_t kIdBytes = 26;
constexpr std::size_t kAtATime = 8;

bool is_id(std::string_view text) {
  return text.size() == kIdBytes &&
         std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

// As a literal of a filter.
std::string filter_text(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

// Does the field belong to a section of that name or id? A field names its section by id, the item knows its name.
bool is_in_section(const json::object& item, const json::object& field, std::string_view wanted) {
  if (wanted.empty()) return true;
  const auto* section = object_of(field, "section");
  if (section == nullptr) return false;
  const auto id = text_of(*section, "id");
  if (id == wanted || text_of(*section, "label") == wanted) return true;
  const auto* sections = array_of(item, "sections");
  return sections != nullptr && std::ranges::any_of(*sections, [&](const json::value& each) {
           const auto* members = each.if_object();
           return members != nullptr && text_of(*members, "id") == id && text_of(*members, "label") == wanted;
         });
}

// V2.5: the first field of that label, else that id.
const json::object* find_field(const json::object& item, const Reference& reference) {
  const auto* fields = array_of(item, "fields");
  if (fields == nullptr) return nullptr;
  for (const auto* key : {"label", "id"})
    for (const auto& each : *fields)
      if (const auto* field = each.if_object();
          field != nullptr && text_of(*field, key) == reference.field && is_in_section(item, *field, reference.section))
        return field;
  return nullptr;
}

Result<Secret> value_in(const json::object& item, const Reference& reference, std::string_view text) {
  const auto* field = find_field(item, reference);
  const auto value = field == nullptr ? std::string_view() : text_of(*field, reference.is_otp ? "totp" : "value");
  if (field == nullptr || (reference.is_otp && value.empty()))
    return fail(Kind::not_found, fmt::format("secret field not found for reference: {}", printable(text, 200)));
  return Secret(std::string(value));
}

class OnePasswordConnect final : public SecretProvider {
 public:
  OnePasswordConnect(OnePasswordSettings settings, SecretHttp http) : settings_(std::move(settings)), http_(http) {}

  bool is_one_time(const std::string& reference) const override {
    const auto parsed = parse_onepassword_reference(reference);
    return parsed && parsed->is_otp;
  }

  // An item is read once for all its fields, a vault is looked up once for all its items.
  std::vector<Result<Secret>> fetch(const std::vector<std::string>& references, const Deadline& deadline) override {
    std::vector<Result<Reference>> parsed;
    std::set<std::string> vaults;
    std::set<Place> places;
    for (const auto& reference : references) {
      parsed.push_back(parse_onepassword_reference(reference));
      if (!parsed.back()) continue;
      vaults.insert(parsed.back()->vault);
      places.insert({parsed.back()->vault, parsed.back()->item});
    }
    const auto ids = for_each<std::string, std::string>(
        vaults, [&](const std::string& vault) { return id_of("vault", "/v1/vaults", vault, deadline); });
    const auto items = for_each<Place, json::object>(places, [&](const Place& place) -> Item {
      const auto& vault = ids.at(place.first);
      return vault ? read(*vault, place.second, deadline) : tl::unexpected(vault.error());
    });
    std::vector<Result<Secret>> results;
    for (std::size_t index = 0; index < references.size(); ++index) {
      const auto& reference = parsed[index];
      if (!reference) {
        results.push_back(tl::unexpected(reference.error()));
        continue;
      }
      const auto& item = items.at({reference->vault, reference->item});
      results.push_back(item ? value_in(*item, *reference, references[index]) : tl::unexpected(item.error()));
    }
    return results;
  }

 private:
  using Place = std::pair<std::string, std::string>;  // vault and item

  template <class Key, class Value>
  static std::map<Key, Result<Value>> for_each(const std::set<Key>& keys,
                                               const std::function<Result<Value>(const Key&)>& work) {
    const std::vector<Key> list(keys.begin(), keys.end());
    std::map<Key, Result<Value>> results;
    for (const auto& key : list) results[key];
    const auto done = for_each_index(list.size(), kAtATime, [&](std::size_t index) {
      results.at(list[index]) = work(list[index]);
      return Status();
    });
    for (std::size_t index = 0; index < done.size(); ++index)
      if (!done[index]) results.at(list[index]) = tl::unexpected(done[index].error());
    return results;
  }

  Item read(const std::string& vault, const std::string& item, const Deadline& deadline) const {
    const auto items = fmt::format("/v1/vaults/{}/items", vault);
    const auto id = id_of("item", items, item, deadline);
    if (!id) return tl::unexpected(id.error());
    auto answer = get(fmt::format("{}/{}", items, *id), deadline);
    if (!answer) return tl::unexpected(answer.error());
    if (!answer->is_object()) return fail(Kind::invalid, "the answer is no item");
    return std::move(answer->get_object());
  }

  // Of the one vault or item of that title; an id is one already.
  Result<std::string> id_of(std::string_view what, const std::string& path, const std::string& title,
                            const Deadline& deadline) const {
    if (is_id(title)) return title;
    const auto answer = get(fmt::format("{}?filter={}", path, url_encode("title eq " + filter_text(title))), deadline);
    if (!answer) return tl::unexpected(answer.error());
    const auto* found = answer->if_array();
    const auto* only = found != nullptr && found->size() == 1 ? found->front().if_object() : nullptr;
    const auto id = only == nullptr ? std::string_view() : text_of(*only, "id");
    if (!id.empty()) return std::string(id);
    const auto count = found == nullptr ? 0 : found->size();
    return fail(count == 0 ? Kind::not_found : Kind::invalid,
                fmt::format("{} {}s with the title {}, expected one", count, what, printable(title, 200)));
  }

  Result<json::value> get(const std::string& path, const Deadline& deadline) const {
    return http_.ask_json({.url = settings_.connect_host + path,
                           .headers = {{"Authorization", "Bearer " + settings_.connect_token.reveal()},
                                       {"Content-Type", "application/json"}}},
                          deadline);
  }

  const OnePasswordSettings settings_;
  const SecretHttp http_;
};

}  // namespace

std::unique_ptr<SecretProvider> make_onepassword_connect(const OnePasswordSettings& settings, SecretHttp http) {
  return std::make_unique<OnePasswordConnect>(settings, http);
}

}  // namespace windlass
