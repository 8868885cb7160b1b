#include "deploy/one_time_values.h"

#include "deploy/not_interpolated.h"

namespace windlass {
namespace {

void replace(std::string_view from, const std::string& to, json::value& value) {
  if (auto* items = value.if_array()) {
    for (auto& item : *items) replace(from, to, item);
  } else if (auto* object = value.if_object()) {
    for (auto& member : *object) replace(from, to, member.value());
  } else if (const auto* text = value.if_string()) {
    std::string changed(*text);
    for (auto at = changed.find(from); at != changed.npos; at = changed.find(from, at + to.size()))
      changed.replace(at, from.size(), to);
    if (changed != *text) value = changed;
  }
}

}  // namespace

std::string one_time_stand_in(const std::string& variable) { return "(one-time value of " + variable + ")"; }

void put_one_time_values(const StackSecrets& secrets, json::object& model,
                         std::map<std::string, std::string>& environment) {
  if (secrets.one_time.empty()) return;
  json::value whole = std::move(model);
  for (const auto& variable : secrets.one_time) {
    const auto& value = secrets.values.at(variable).reveal();
    replace(one_time_stand_in(variable), not_interpolated(value), whole);
    environment[variable] = value;
  }
  model = std::move(whole.get_object());
}

}  // namespace windlass
