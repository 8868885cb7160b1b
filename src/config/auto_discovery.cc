#include "config/auto_discovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "config/deploy_decoding.h"
#include "config/source_path.h"
#include "config/yaml.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kLeftOut[] = {".git", ".github", ".vscode", ".idea", "node_modules"};
constexpr std::string_view kNested[] = {".doco-cd.yaml", ".doco-cd.yml"};
constexpr std::size_t kStacksMax = 10'000;

bool is_left_out(const std::string& name) {
  return std::find(std::begin(kLeftOut), std::end(kLeftOut), name) != std::end(kLeftOut);
}

class Discovery {
 public:
  Discovery(const SourceFiles& files, const DeployConfig& base, std::vector<std::string>& faults,
            std::vector<std::string>& warnings)
      : files_(files), root_(files.root), base_(base), faults_(faults), warnings_(warnings) {}

  std::vector<DeployConfig> stacks() {
    const auto start = base_.working_dir == "." ? fs::path() : fs::path(base_.working_dir);
    std::error_code ignored;
    if (!fs::is_directory(fs::symlink_status(root_ / start, ignored)))
      faults_.push_back(fmt::format("auto_discovery: {} is not a folder of the source", base_.working_dir));
    else
      walk(start, 0);
    return std::move(found_);
  }

 private:
  // Folders in the order of their names; whether a compose file lies in this one is seen on the way.
  void walk(const fs::path& folder, int depth) {
    std::set<std::string> folders;
    bool is_stack = false;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(root_ / folder, error)) {
      auto name = entry.path().filename().string();
      if (!fs::is_directory(entry.symlink_status(error)))
        is_stack = is_stack ||
                   std::find(base_.compose_files.begin(), base_.compose_files.end(), name) != base_.compose_files.end();
      else if (!is_left_out(name))
        folders.insert(std::move(name));
    }
    if (is_stack) add(folder);
    if (base_.auto_discovery.depth > 0 && depth >= base_.auto_discovery.depth) return;
    for (const auto& name : folders)
      if (found_.size() < kStacksMax) walk(folder / name, depth + 1);
  }

  void add(const fs::path& folder) {
    if (found_.size() + 1 >= kStacksMax)
      return faults_.push_back(fmt::format("auto_discovery: more than {} stacks in {}", kStacksMax, base_.working_dir));
    auto stack = base_;
    stack.working_dir = folder.empty() ? "." : folder.string();
    stack.name = folder.empty() ? base_.name : folder.filename().string();
    stack.is_discovered = true;
    if (const auto nested = nested_file(folder); !nested.empty()) read_nested(nested, stack);
    check_stack(stack, folder.empty() ? "the root of the source" : folder.string(), faults_);
    finish(stack);
    found_.push_back(std::move(stack));
  }

  // "" when there is none; at the root lies the file that is being read.
  std::string nested_file(const fs::path& folder) {
    std::vector<std::string> there;
    for (const auto name : kNested) {
      std::error_code ignored;
      const auto path = folder / name;
      if (!folder.empty() && fs::symlink_status(root_ / path, ignored).type() != fs::file_type::not_found)
        there.push_back(path.string());
    }
    if (there.size() > 1) warnings_.push_back(fmt::format("{} is ignored: {} is used", there[1], kNested[0]));
    return there.empty() ? "" : there[0];
  }

  void read_nested(const std::string& path, DeployConfig& stack) {
    const auto text = read_source_file(files_, path, kYamlBytesMax);
    if (!text) return faults_.push_back(text.error().message);
    const auto yaml = parse_yaml(*text, path);
    if (!yaml) return faults_.push_back("failed to decode yaml: " + yaml.error().message);
    if (yaml->documents.size() > 1)
      return faults_.push_back(path + ": nested .doco-cd configuration file must contain only a single YAML document");
    if (!yaml->documents.empty()) decode_nested_config(*yaml->documents[0], path, stack, faults_, warnings_);
  }

  const SourceFiles& files_;
  const fs::path& root_;
  const DeployConfig& base_;
  std::vector<std::string>& faults_;
  std::vector<std::string>& warnings_;
  std::vector<DeployConfig> found_;
};

// Where it looked, and for what: an empty list alone tells nothing.
std::string found_nothing(const DeployConfig& base) {
  const auto depth = base.auto_discovery.depth;
  return fmt::format("auto_discovery: no stack found: neither {} nor a folder below it{} holds {}",
                     base.working_dir == "." ? "the root of the source" : base.working_dir,
                     depth > 0 ? fmt::format(" to depth {}", depth) : "", fmt::join(base.compose_files, " or "));
}

}  // namespace

void discover_stacks(const SourceFiles& files, DeployConfigs& configs, std::vector<std::string>& faults,
                     std::vector<std::string>& warnings) {
  std::vector<DeployConfig> all;
  for (auto& stack : configs.stacks) {
    if (!stack.auto_discovery.enabled) {
      all.push_back(std::move(stack));
      continue;
    }
    configs.discoveries.push_back(stack.auto_discovery);
    const auto faults_before = faults.size();
    auto found = Discovery(files, stack, faults, warnings).stacks();
    if (found.empty() && faults.size() == faults_before) configs.warnings.push_back(found_nothing(stack));
    std::move(found.begin(), found.end(), std::back_inserter(all));
  }
  configs.stacks = std::move(all);
  find_duplicate_names(configs.stacks, faults);
}

}  // namespace windlass
