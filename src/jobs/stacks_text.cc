#include "jobs/stacks_text.h"

#include "sys/json.h"

namespace windlass {

std::string stacks_to_text(const std::vector<StackResult>& stacks) {
  if (stacks.empty()) return "";
  json::array array;
  for (const auto& stack : stacks)
    array.push_back(json::object{{"name", stack.name},
                                 {"context", stack.context},
                                 {"status", to_string(stack.status)},
                                 {"message", stack.message}});
  return json::serialize(array);
}

std::vector<StackResult> stacks_from_text(std::string_view text) {
  std::vector<StackResult> stacks;
  if (text.empty()) return stacks;
  const auto value = parse_json(text);
  if (!value || !value->is_array()) return stacks;
  for (const auto& item : value->get_array()) {
    const auto* object = item.if_object();
    if (object == nullptr) continue;
    stacks.push_back({.name = std::string(text_of(*object, "name")),
                      .context = std::string(text_of(*object, "context")),
                      .status = parse_run_status(text_of(*object, "status")).value_or(RunStatus::failed),
                      .message = std::string(text_of(*object, "message"))});
  }
  return stacks;
}

}  // namespace windlass
