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

// ".doco-cd.yaml:3: …", as all faults of the loader begin.
bool begins_with_place(std::string_view text) {
  constexpr std::string_view kUndecodable = "failed to decode yaml: ";
  if (text.starts_with(kUndecodable)) text.remove_prefix(kUndecodable.size());
  const auto colon = text.find(':');
  const auto file = text.substr(0, colon);
  if (colon == text.npos || file.find(' ') != file.npos || !(file.ends_with(".yaml") || file.ends_with(".yml")))
    return false;
  const auto rest = text.substr(colon + 1);
  const auto digits = rest.find_first_not_of("0123456789");
  return digits != 0 && digits != rest.npos && rest[digits] == ':';
}

// One text for each fault: the loader, whose words go into the run's one line, tells all of a file in one.
std::vector<std::string> faults_in(const std::string& text) {
  std::vector<std::string> faults;
  for (auto line : split(text, '\n')) {
    for (auto end = line.find("; "); end != line.npos;) {
      const bool is_seam = begins_with_place(line.substr(end + 2));
      if (is_seam) {
        faults.emplace_back(line.substr(0, end));
        line.remove_prefix(end + 2);
      }
      end = line.find("; ", is_seam ? 0 : end + 2);
    }
    faults.emplace_back(line);
  }
  return faults;
}

int print_json(const Result<CheckedFolder>& checked) {
  const auto faults = checked ? std::vector<std::string>() : faults_in(checked.error().message);
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
    for (const auto& fault : faults_in(checked.error().message)) fmt::print(stderr, "fault: {}\n", fault);
    return 1;
  }
  const auto& stacks = checked->configs.stacks;
  fmt::print("valid: {} of {}: {}\n", join(checked->configs.configs, ", "), command.folder,
             stacks.empty() ? "no stack" : "stacks " + join(stacks, ", "));
  return 0;
}

}  // namespace windlass
