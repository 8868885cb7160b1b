#include "deploy/model_changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"

namespace windlass {
namespace {

constexpr std::size_t kValueMax = 300;
constexpr std::size_t kChangesMax = 500;

void hide(json::value& value, InputHasher& hasher) {
  if (value.is_null()) return;
  const auto text = value.is_string() ? std::string(value.get_string()) : json::serialize(value);
  value = fmt::format("(hidden {})", hasher.hash(text).substr(0, 8));
}

// Interpolation, or the file itself, may have put them anywhere, into keys as well.
void hide_secrets(json::value& value, InputHasher& hasher, const std::vector<Secret>& secrets) {
  if (auto* items = value.if_array()) {
    for (auto& item : *items) hide_secrets(item, hasher, secrets);
  } else if (auto* object = value.if_object()) {
    json::object shown;
    for (auto& member : *object) {
      json::value key(member.key());
      hide_secrets(key, hasher, secrets);
      hide_secrets(member.value(), hasher, secrets);
      shown[key.get_string()] = std::move(member.value());
    }
    *object = std::move(shown);
  } else {
    const auto text = value.is_string() ? std::string(value.get_string()) : json::serialize(value);
    const auto is_in = [&](const Secret& secret) { return text.find(secret.reveal()) != text.npos; };
    if (std::ranges::any_of(secrets, is_in)) hide(value, hasher);
  }
}

void hide_members(json::object& object, std::string_view key, InputHasher& hasher) {
  auto* member = object.if_contains(key);
  auto* values = member != nullptr ? member->if_object() : nullptr;
  if (values == nullptr) return;
  for (auto& each : *values) hide(each.value(), hasher);
}

// Down to the parts of a service, a volume and so on, keys are names and words of compose, which no interpolation
// makes; below, the list "labels" has become keys.
void hide_variables(json::object& model, InputHasher& hasher, const std::vector<Secret>& variables) {
  for (auto& section : model) {
    auto* members = section.value().if_object();
    if (members == nullptr) {
      hide_secrets(section.value(), hasher, variables);
      continue;
    }
    for (auto& member : *members) {
      auto* parts = member.value().if_object();
      if (parts == nullptr) {
        hide_secrets(member.value(), hasher, variables);
        continue;
      }
      for (auto& part : *parts)
        if (section.key() != "services" || (part.key() != "image" && part.key() != "restart"))
          hide_secrets(part.value(), hasher, variables);
    }
  }
}

template <class Change>
void for_each_member(json::object& object, std::string_view key, Change&& change) {
  auto* section = object.if_contains(key);
  auto* members = section != nullptr ? section->if_object() : nullptr;
  if (members == nullptr) return;
  for (auto& member : *members)
    if (auto* inner = member.value().if_object()) change(*inner);
}

std::string shown(const json::value* value) {
  return value == nullptr ? std::string() : printable(json::serialize(*value), kValueMax);
}

class Comparison {
 public:
  std::vector<ModelChange> changes;

  void objects(const std::string& path, const json::object& before, const json::object& after) {
    std::set<std::string> keys;
    for (const auto* object : {&before, &after})
      for (const auto& member : *object) keys.emplace(member.key());
    for (const auto& key : keys)
      values(path.empty() ? key : path + "." + key, before.if_contains(key), after.if_contains(key));
  }

 private:
  void values(const std::string& path, const json::value* before, const json::value* after) {
    if (before != nullptr && after != nullptr) {
      if (*before == *after) return;
      if (before->is_object() && after->is_object()) return objects(path, before->get_object(), after->get_object());
      if (before->is_array() && after->is_array() && before->get_array().size() == after->get_array().size()) {
        for (std::size_t i = 0; i < before->get_array().size(); ++i)
          values(fmt::format("{}[{}]", path, i), &before->get_array()[i], &after->get_array()[i]);
        return;
      }
    }
    if (changes.size() < kChangesMax) changes.push_back({printable(path, kValueMax), shown(before), shown(after)});
  }
};

}  // namespace

json::object redacted(const json::object& model, InputHasher& hasher, const std::vector<Secret>& secrets,
                      const std::vector<Secret>& variables) {
  auto copy = model;
  for_each_member(copy, "services", [&](json::object& service) {
    hide_members(service, "environment", hasher);
    if (auto* build = service.if_contains("build"); build != nullptr && build->is_object())
      hide_members(build->get_object(), "args", hasher);
  });
  for (const auto* section : {"configs", "secrets"})
    for_each_member(copy, section, [&](json::object& entry) {
      if (auto* content = entry.if_contains("content")) hide(*content, hasher);
    });
  if (!variables.empty()) hide_variables(copy, hasher, variables);
  if (secrets.empty()) return copy;
  json::value whole = std::move(copy);
  hide_secrets(whole, hasher, secrets);
  return std::move(whole.get_object());
}

std::vector<ModelChange> changes_between(const json::object& before, const json::object& after) {
  Comparison comparison;
  comparison.objects("", before, after);
  return std::move(comparison.changes);
}

}  // namespace windlass
