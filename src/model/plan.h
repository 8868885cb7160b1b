// What a deployment is going to do to one stack, and why: the same data for the log, the run record and the API.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace windlass {

enum class ServiceAction { keep, adopt, signal, start, create, recreate, remove };
std::string_view to_string(ServiceAction action);

struct ServicePlan {
  std::string service;
  ServiceAction action = ServiceAction::keep;
  std::vector<std::string>
      reasons;  // "image changed", "content of www mounted at /www changed"; of keep: what was ignored
};

struct StackPlan {
  std::string stack;
  std::vector<ServicePlan> services;  // by name
  std::vector<std::string> reasons;   // that concern the stack as a whole

  bool changes_anything() const;
  // Nothing for a service that the plan does not know.
  std::optional<ServiceAction> action_of(std::string_view service) const;
  // Also of a service that the plan does not know.
  bool makes_new_containers(std::string_view service) const;
  // "recreate web (image changed); keep db"
  std::string str() const;
};

}  // namespace windlass
