#include "model/job.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

const auto kDigest = Digest::of_sha256_hex(std::string(64, 'a'));

TEST(Job, LaneIsSourceAndRefAndAllDigestsAreOne) {  // webhook/C1
  JobRequest by_tag{.source_id = "ghcr.io/my/app", .ref = "main"};
  JobRequest by_digest{.source_id = "ghcr.io/my/app", .ref = kDigest.str(), .ref_is_digest = true};
  EXPECT_EQ(lane_of(by_tag), "ghcr.io/my/app main");
  EXPECT_EQ(lane_of(by_digest), "ghcr.io/my/app @");
}

TEST(Job, ScopeIsTargetAndInlineDeployments) {  // webhook/C4, config 5
  EXPECT_EQ(scope_of({.target = "prod"}), scope_of({.ref = "other", .target = "prod"}));
  EXPECT_NE(scope_of({.target = "prod"}), scope_of({.target = "test"}));
  EXPECT_NE(scope_of({.target = "prod"}), scope_of({.target = "prod", .deployments = "[]"}));
}

TEST(Job, PollsShowTheirRepositoryWithItsHost) {  // api 3
  JobRequest request{.source_id = "ghcr.io/my/app", .repository = "my/app"};
  EXPECT_EQ(shown_repository(request), "my/app");
  request.trigger = Trigger::poll;
  EXPECT_EQ(shown_repository(request), "ghcr.io/my/app");
}

TEST(Job, RevisionHasTheHalvesThatExist) {  // webhook/X8
  EXPECT_EQ(revision_of({.ref = "main", .digest = kDigest}), "main (" + kDigest.str() + ")");
  EXPECT_EQ(revision_of({.ref = "main"}), "main");
  EXPECT_EQ(revision_of({.digest = kDigest}), kDigest.str());
  EXPECT_EQ(revision_of({.ref = kDigest.str(), .digest = kDigest}), kDigest.str());
}

TEST(JobOutcome, PutsTheStepBeforeTheReasonOfAFailure) {  // webhook 11
  EXPECT_EQ(JobOutcome::failed(FailedStep::config, "configuration file not found in repository: .doco-cd.y(a)ml")
                .run_message(),
            "failed to get deploy configuration: configuration file not found in repository: .doco-cd.y(a)ml");
  EXPECT_EQ(JobOutcome::failed(FailedStep::interrupted, "interrupted by restart").run_message(),
            "interrupted by restart");
  EXPECT_EQ(JobOutcome::skipped("superseded: main now points to x").run_message(), "superseded: main now points to x");
}

TEST(Job, ThatBringsSomethingBackHasAScopeOfItsOwn) {  // it must not take the place of one that deploys
  JobRequest request{.digest = Digest::of_sha256_hex(std::string(64, 'a')), .target = "prod"};
  auto repair = request;
  repair.cause = kReconcileCause;
  repair.service = "shop web";
  EXPECT_TRUE(is_repair(repair));
  EXPECT_NE(scope_of(repair), scope_of(request));
  EXPECT_EQ(lane_of(repair), lane_of(request));
  EXPECT_EQ(service_to_recreate(repair, {"shop"}), "web");
  EXPECT_EQ(service_to_recreate(repair, {"shop-two"}), "");
  EXPECT_EQ(service_to_recreate(request, {"shop"}), "");
}

}  // namespace
}  // namespace windlass
