// For tests: an unpacked artifact in a temporary folder.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "config/deploy_config.h"

namespace windlass {

class DeployConfigFile : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/windlass-deploy-config-XXXXXX";
    root_ = std::filesystem::path(mkdtemp(name)) / "tree";
    std::filesystem::create_directory(root_);
  }
  void TearDown() override { std::filesystem::remove_all(root_.parent_path()); }

  void file(const std::filesystem::path& path, std::string_view content) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << content;
  }
  Result<DeployConfigs> load(std::string_view content, const DeployConfigOptions& options = {}) {
    file(".doco-cd.yaml", content);
    return load_deploy_configs(root_, "", options);
  }
  std::string fault_of(std::string_view content, const DeployConfigOptions& options = {}) {
    const auto configs = load(content, options);
    if (configs) return "";
    EXPECT_EQ(configs.error().kind, Kind::invalid);
    return configs.error().message;
  }
  std::string layout_fault(const std::string& target, const DeployConfigOptions& options = {}) {
    const auto configs = load_deploy_configs(root_, target, options);
    return configs ? "" : configs.error().message;
  }
  std::filesystem::path root_;
};

}  // namespace windlass
