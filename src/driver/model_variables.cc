#include "driver/model_variables.h"

#include <fmt/format.h>

#include <functional>
#include <vector>

#include "base/text.h"
#include "driver/child_environment.h"

namespace windlass {
namespace {

// The tool itself reads it, as the platform of services that name none.
constexpr const char* kPlatform = "DOCKER_DEFAULT_PLATFORM";

json::object* object_in(json::object& parent, std::string_view key) {
  auto* member = parent.if_contains(key);
  return member == nullptr ? nullptr : member->if_object();
}

}  // namespace

ModelVariables with_own_names(json::object model, const std::map<std::string, std::string>& environment) {
  ModelVariables result;
  std::map<std::string, std::string, std::less<>> own_names;
  for (const auto* section : {"secrets", "configs"}) {
    auto* entries = object_in(model, section);
    if (entries == nullptr) continue;
    for (auto& entry : *entries) {
      auto* members = entry.value().if_object();
      const std::string name(members == nullptr ? std::string_view() : text_of(*members, "environment"));
      const auto value = environment.find(name);
      if (name.empty() || value == environment.end()) continue;
      const auto [own, is_new] = own_names.try_emplace(name, fmt::format("WINDLASS_VALUE_{}", own_names.size()));
      if (is_new) result.variables[own->second] = value->second;
      (*members)["environment"] = own->second;
    }
  }
  if (const auto platform = environment.find(kPlatform); platform != environment.end())
    result.variables.insert(*platform);
  result.model = std::move(model);
  return result;
}

Status refuse_credentials(const json::object& model) {
  for (const auto* section : {"secrets", "configs"}) {
    const auto* entries = object_of(model, section);
    if (entries == nullptr) continue;
    for (const auto& entry : *entries) {
      const auto* members = entry.value().if_object();
      const auto variable = members == nullptr ? std::string_view() : text_of(*members, "environment");
      if (may_hold_credentials(variable))
        return fail(Kind::invalid,
                    fmt::format("policy: {} {}: environment {}", section, printable(entry.key(), 256), variable));
    }
  }
  return {};
}

json::object without_credential_arguments(json::object model) {
  auto* services = object_in(model, "services");
  if (services == nullptr) return model;
  for (auto& service : *services) {
    auto* members = service.value().if_object();
    auto* build = members == nullptr ? nullptr : object_in(*members, "build");
    auto* arguments = build == nullptr ? nullptr : object_in(*build, "args");
    if (arguments == nullptr) continue;
    std::vector<std::string> names;
    for (const auto& argument : *arguments)
      if (argument.value().is_null() && may_hold_credentials(argument.key())) names.emplace_back(argument.key());
    for (const auto& name : names) arguments->erase(name);
  }
  return model;
}

}  // namespace windlass
