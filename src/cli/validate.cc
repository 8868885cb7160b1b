#include "cli/validate.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "base/text.h"
#include "cli/folder_packing.h"
#include "sys/json.h"

namespace windlass {
namespace {

json::array to_array(const std::vector<std::string>& texts) { return json::array(texts.begin(), texts.end()); }

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (const auto line : split(text, '\n')) lines.emplace_back(line);
  return lines;
}

int print_json(const Result<CheckedFolder>& checked) {
  const auto faults = checked ? std::vector<std::string>() : lines_of(checked.error().message);
  const auto configs = checked ? checked->configs : FolderCheck();
  fmt::print("{}\n", json::serialize(json::object{{"valid", checked.has_value()},
                                                  {"faults", to_array(faults)},
                                                  {"warnings", to_array(configs.warnings)},
                                                  {"configs", to_array(configs.configs)},
                                                  {"stacks", to_array(configs.stacks)}}));
  return checked ? 0 : 1;
}

}  // namespace

int validate(const ValidateCommand& command, const Environment& environment) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(command.folder, ignored)) {
    fmt::print(stderr, "windlass validate: {} is not a folder\n", printable(command.folder, 1024));
    return 2;
  }
  Progress progress(STDERR_FILENO, command.as_json);
  const auto checked = check_to_pack({.folder = command.folder, .is_strict = command.is_strict}, environment, progress);
  if (command.as_json) return print_json(checked);
  if (!checked) {
    for (const auto& fault : lines_of(checked.error().message)) fmt::print(stderr, "fault: {}\n", fault);
    return 1;
  }
  fmt::print("valid: {} of {}: stacks {}\n", join(checked->configs.configs, ", "), command.folder,
             join(checked->configs.stacks, ", "));
  return 0;
}

}  // namespace windlass
