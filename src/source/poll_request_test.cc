#include "source/poll_request.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

TEST(PollRequest, IsThatOfAWebhookWithoutADigest) {
  const auto request = poll_request({.url = "ghcr.io/acme/app:1", .target = "prod", .deployments = "[]"});
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->trigger, Trigger::poll);
  EXPECT_EQ(request->artifact, "ghcr.io/acme/app:1");
  EXPECT_EQ(request->source_id, "ghcr.io/acme/app");
  EXPECT_EQ(request->repository, "acme/app");
  EXPECT_EQ(request->ref, "1");
  EXPECT_FALSE(request->ref_is_digest);
  EXPECT_FALSE(request->digest);
  EXPECT_EQ(request->target, "prod");
  EXPECT_EQ(request->deployments, "[]");
  EXPECT_EQ(lane_of(*request), "ghcr.io/acme/app 1") << "the lane of its webhooks (webhook/C1)";
}

TEST(PollRequest, MayBeByDigest) {
  const auto digest = "sha256:" + std::string(64, 'a');
  const auto request = poll_request({.url = "busybox@" + digest});
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->source_id, "index.docker.io/library/busybox");
  EXPECT_EQ(request->ref, digest);
  EXPECT_TRUE(request->ref_is_digest);
}

TEST(PollRequest, NeedsAReference) {
  const auto request = poll_request({.url = "not a reference"});
  ASSERT_FALSE(request);
  EXPECT_TRUE(request.error().message.starts_with("invalid OCI artifact reference: ")) << request.error().message;
}

}  // namespace
}  // namespace windlass
