// Which stack: its name, and the Docker context of the engine that it runs on. Two stacks of one name on two contexts
// are two stacks (deploy/N1, K3).
#pragma once

#include <string>
#include <string_view>

namespace windlass {

struct StackId {
  std::string name;     // of the compose project
  std::string context;  // "": the default engine

  auto operator<=>(const StackId&) const = default;

  // "web" on the default engine, "edge/web" on another: for people, and as one text in the state file. Neither names
  // of projects nor those of contexts hold a '/'.
  std::string str() const { return context.empty() ? name : context + "/" + name; }

  // Of such a text.
  static StackId parse(std::string_view text) {
    const auto slash = text.find('/');
    if (slash == text.npos) return {.name = std::string(text), .context = ""};
    return {.name = std::string(text.substr(slash + 1)), .context = std::string(text.substr(0, slash))};
  }
};

}  // namespace windlass
