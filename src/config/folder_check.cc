#include "config/folder_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "base/text.h"
#include "config/source_path.h"
#include "config/yaml.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStem = ".doco-cd";

// "prod" of ".doco-cd.prod.yaml", "" of ".doco-cd.yml"; nothing for other files.
std::optional<std::string> target_of(std::string_view name) {
  if (!name.starts_with(kStem)) return std::nullopt;
  name.remove_prefix(kStem.size());
  for (const std::string_view ending : {".yaml", ".yml"}) {
    if (!name.ends_with(ending)) continue;
    name.remove_suffix(ending.size());
    if (name.empty()) return "";
    return name.front() == '.' ? std::optional(std::string(name.substr(1))) : std::nullopt;
  }
  return std::nullopt;
}

std::set<std::string> targets_in(const fs::path& folder) {
  std::set<std::string> targets;
  std::error_code ignored;  // a base dir that is not there holds no configs
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    if (auto target = target_of(entry.path().filename().string())) targets.insert(std::move(*target));
  return targets;
}

// Whoever checks a folder need not have the keys of whoever deploys it.
Result<std::optional<std::string>> leave_encrypted(const std::string& path, const std::string& text) {
  if (text.find("ENC[AES256_GCM,") == text.npos || text.find("sops") == text.npos) return std::optional<std::string>();
  return fail(Kind::conflict, path + ": encrypted, what is in it is not checked");
}

class Checker {
 public:
  Checker(const fs::path& folder, const DeployConfigOptions& options) : folder_(folder), options_(options) {
    folder_.decrypt = leave_encrypted;
  }

  FolderCheck check() {
    auto targets = targets_in(folder_.root);
    targets.merge(targets_in(folder_.root / fs::path(options_.base_dir).relative_path()));
    for (const auto& target : targets) check_target(target);
    return std::move(result_);
  }

 private:
  void check_target(const std::string& target) {
    const auto configs = load_deploy_configs(folder_, target, options_);
    if (!configs) return report(configs.error());
    result_.configs.push_back(configs->file);
    result_.warnings.insert(result_.warnings.end(), configs->warnings.begin(), configs->warnings.end());
    for (const auto& stack : configs->stacks) {
      result_.stacks.push_back(stack.id().str());
      check_stack(configs->file, stack);
    }
  }

  void check_stack(const std::string& file, const DeployConfig& stack) {
    const auto where = fmt::format("{}: stack {}", file, stack.id().str());
    auto with_secrets = stack;  // their values are known only where they will run
    for (const auto& [name, reference] : stack.external_secrets) with_secrets.environment[name] = "(external secret)";
    if (const auto environment = interpolation_environment(folder_, with_secrets, {}); !environment)
      report({environment.error().kind, fmt::format("{}: {}", where, environment.error().message)});
    const auto compose_files = find_compose_files(folder_.root, stack);
    if (!compose_files) return fault(fmt::format("{}: {}", where, compose_files.error().message));
    // What compose itself makes of them is known only where they will run: variables, profiles, its version.
    for (const auto& compose_file : *compose_files) {
      if (!seen_.insert(compose_file).second) continue;  // several stacks may share one
      if (const auto good = check_compose_file(folder_, compose_file); !good) report(good.error());
    }
  }

  void fault(std::string text) { result_.faults.push_back(std::move(text)); }
  void report(const Error& error) {
    (error.kind == Kind::conflict ? result_.warnings : result_.faults).push_back(error.message);
  }

  SourceFiles folder_;
  const DeployConfigOptions& options_;
  FolderCheck result_;
  std::set<std::string> seen_;  // compose files
};

}  // namespace

FolderCheck check_folder(const fs::path& folder, const DeployConfigOptions& options) {
  return Checker(folder, options).check();
}

}  // namespace windlass
