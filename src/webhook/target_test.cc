#include "webhook/target.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

// webhook/A5 to A7
TEST(WebhookTarget, KnowsThePathsOfTheEndpoint) {
  for (const auto path : {"/v1/webhook", "/v1/webhook/prod", "/v1/webhook/%2f", "/v1/webhook/.."})
    EXPECT_TRUE(is_webhook_path(path)) << path;
  for (const auto path : {"/v1/webhook/", "/v1/webhook/a/b", "/v1/webhooks", "/v1/Webhook", "/", "/v1/webhook//"})
    EXPECT_FALSE(is_webhook_path(path)) << path;
}

// webhook/A6; reliability 6, row "method, path"
TEST(WebhookTarget, IsDecodedOnceAndFitsItsGrammar) {
  EXPECT_EQ(target_of("/v1/webhook"), "");
  EXPECT_EQ(target_of("/v1/webhook/prod-1.a_B"), "prod-1.a_B");
  EXPECT_EQ(target_of("/v1/webhook/pr%6fd"), "prod");
  EXPECT_EQ(target_of("/v1/webhook/" + std::string(128, 'a')), std::string(128, 'a'));
  for (const std::string segment : {"..", ".", "-a", ".a", "_a", "%2f", "a%2fb", "%00", "a%00", "%0d%0a", "a%", "a%2",
                                    "%zz", "%252e", "a b", "a+b", "%C3%A4", "a~"})
    EXPECT_EQ(target_of("/v1/webhook/" + segment), std::nullopt) << segment;
  EXPECT_EQ(target_of("/v1/webhook/" + std::string(300, 'a')), std::nullopt);
}

}  // namespace
}  // namespace windlass
