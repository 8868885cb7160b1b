#include "config/folder_check.h"

#include "config/deploy_config_fixture.h"

namespace windlass {
namespace {

using Lines = std::vector<std::string>;

class FolderCheckTest : public DeployConfigFile {
 protected:
  FolderCheck check(const DeployConfigOptions& options = {}) { return check_folder(root_, options); }
};

TEST_F(FolderCheckTest, FindsNothingWrongWithAGoodFolder) {
  file(".doco-cd.yaml", "name: shop\n---\nname: blog\nworking_dir: blog\n");
  file(".doco-cd.prod.yml", "name: shop-prod\ncompose_files: [compose.yaml, prod.yaml]\n");
  file(".doco-cd.md", "not a config");
  file(".doco-cdx.yaml", "not a config");
  file("compose.yaml", "services: {web: {image: nginx, ports: !reset []}}\n");
  file("prod.yaml", "services: {web: {image: nginx}}\n");
  file("blog/compose.yml", R"({"services": {}})");
  const auto result = check();
  EXPECT_EQ(result.faults, Lines{});
  EXPECT_EQ(result.configs, (Lines{".doco-cd.yaml", ".doco-cd.prod.yml"}));
  EXPECT_EQ(result.stacks, (Lines{"shop", "blog", "shop-prod"}));
}

TEST_F(FolderCheckTest, NamesEveryFaultOfEveryFile) {
  file(".doco-cd.yaml", "name: shop\ntimeout: soon\n");
  file(".doco-cd.prod.yaml", "name: shop\ncompose_files: [gone.yaml]\n---\nname: blog\nworking_dir: blog\n");
  file(".doco-cd.test.yaml", "name: shop\nenv_files: [gone.env]\n");
  file("compose.yaml", "services:\n  web: [\n");
  file("blog/compose.yaml", "- a list\n");
  EXPECT_EQ(check().faults,
            (Lines{
                "invalid deploy configuration: failed to decode yaml: .doco-cd.yaml:2: timeout: expected an integer, "
                "got text \"soon\"",
                ".doco-cd.prod.yaml: stack shop: invalid deploy configuration: could not find compose file: gone.yaml",
                "blog/compose.yaml:1: a compose file must be a mapping",
                ".doco-cd.test.yaml: stack shop: env file: opening gone.env: no such file or directory",
                "compose.yaml:3:1: flow sequence without a closing bracket",
            }));
}

// Who checks a folder need not have the keys: that a file is encrypted is no fault (secrets 3).
TEST_F(FolderCheckTest, LeavesWhatIsEncrypted) {
  const std::string sealed = "name: ENC[AES256_GCM,data:x]\nsops:\n  version: 3\n";
  file(".doco-cd.yaml", "name: shop\n");
  file(".doco-cd.prod.yaml", sealed);
  file(".env", "A=ENC[AES256_GCM,data:x]\nsops_version=3\n");
  file("compose.yaml", sealed);
  const auto result = check();
  EXPECT_EQ(result.faults, Lines{});
  EXPECT_EQ(result.warnings,
            (Lines{".doco-cd.yaml: stack shop: env file: .env: encrypted, what is in it is not checked",
                   "compose.yaml: encrypted, what is in it is not checked",
                   "invalid deploy configuration: .doco-cd.prod.yaml: encrypted, what is in it is not checked"}));
}

TEST_F(FolderCheckTest, LooksWhereTheServiceLooks) {
  file("deploy/.doco-cd.prod.yaml", "name: shop\nlabel: x\n");
  file("compose.yaml", "services: {}\n");
  EXPECT_EQ(check().configs, Lines{});
  const auto result = check({.base_dir = "/deploy"});
  EXPECT_EQ(result.faults, Lines{});
  EXPECT_EQ(result.stacks, Lines{"shop"});
  ASSERT_EQ(result.warnings.size(), 1u);
  EXPECT_NE(result.warnings[0].find("label"), std::string::npos) << result.warnings[0];
}

}  // namespace
}  // namespace windlass
