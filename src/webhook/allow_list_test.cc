#include "webhook/allow_list.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

bool allows(std::vector<std::string> entries, std::string_view artifact, std::string_view target = "") {
  const auto reference = Reference::parse(artifact);
  return reference && AllowList(entries).allows(*reference, target);
}

// oci 2, row "allow-list"
TEST(AllowList, MatchesGlobsOverRegistryAndRepository) {
  EXPECT_TRUE(allows({}, "anything/at:all"));
  EXPECT_TRUE(allows({"ghcr.io/my/app"}, "ghcr.io/my/app:1"));
  EXPECT_FALSE(allows({"ghcr.io/my/app"}, "ghcr.io/my/app2:1"));
  EXPECT_TRUE(allows({"ghcr.io/my/*"}, "ghcr.io/my/app:1"));
  EXPECT_FALSE(allows({"ghcr.io/my/*"}, "ghcr.io/my/app/sub:1"));
  EXPECT_FALSE(allows({"ghcr.io/*"}, "ghcr.io/my/app:1"));
  EXPECT_TRUE(allows({"ghcr.io/**"}, "ghcr.io/my/app/sub:1"));
  EXPECT_TRUE(allows({"**"}, "ghcr.io/my/app:1"));
  EXPECT_TRUE(allows({"ghcr.io/*/config"}, "ghcr.io/my/config:1"));
  EXPECT_FALSE(allows({"ghcr.io/*/config"}, "ghcr.io/my/sub/config:1"));
  EXPECT_TRUE(allows({"**/app-*"}, "ghcr.io/app-x/my/app-y:1"));
  EXPECT_FALSE(allows({"**/app-*"}, "ghcr.io/app-x/my/other:1"));
  EXPECT_TRUE(allows({"docker.io/library/*"}, "ubuntu"));
  EXPECT_TRUE(allows({"index.docker.io/me/*"}, "me/app"));
  EXPECT_TRUE(allows({" GHCR.io/my/* "}, "ghcr.io/my/app"));
  EXPECT_TRUE(allows({"x.io/a", "ghcr.io/my/app"}, "ghcr.io/my/app:1"));
}

// oci 16/22
TEST(AllowList, PinsAnEntryToATarget) {
  EXPECT_TRUE(allows({"ghcr.io/my/app#prod"}, "ghcr.io/my/app", "prod"));
  EXPECT_FALSE(allows({"ghcr.io/my/app#prod"}, "ghcr.io/my/app", "dev"));
  EXPECT_FALSE(allows({"ghcr.io/my/app#prod"}, "ghcr.io/my/app"));
  EXPECT_TRUE(allows({"ghcr.io/my/app#prod", "ghcr.io/my/app#dev"}, "ghcr.io/my/app", "dev"));
  EXPECT_TRUE(allows({"ghcr.io/my/app"}, "ghcr.io/my/app", "prod"));
}

}  // namespace
}  // namespace windlass
