#include "deploy/model_paths.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

TEST(PathBelow, TakesWholePartsOnly) {  // deploy/P7
  EXPECT_EQ(path_below("/a/b", "/a/b"), "");
  EXPECT_EQ(path_below("/a/b", "/a/b/"), "");
  EXPECT_EQ(path_below("/a/b", "/a/b/c/d"), "c/d");
  EXPECT_EQ(path_below("/a/b", "/a/bc"), std::nullopt);
  EXPECT_EQ(path_below("/a/b", "/a"), std::nullopt);
}

TEST(MovePaths, MovesEveryTextThatIsThePathOrBelow) {  // deploy/X14
  auto model = *parse_json(R"({"services":{"web":{"volumes":[{"source":"/stage/x/www"}],"build":{"context":"/stage/x"},
                               "environment":{"A":"/stage/xyz","B":"see /stage/x"}}}})");
  move_paths(model, "/stage/x", "/data/live");
  EXPECT_EQ(
      canonical_json(model),
      R"({"services":{"web":{"build":{"context":"/data/live"},"environment":{"A":"/stage/xyz","B":"see /stage/x"},)"
      R"("volumes":[{"source":"/data/live/www"}]}}})");
}

}  // namespace
}  // namespace windlass
