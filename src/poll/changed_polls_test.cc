// Polls that come and go while the poller runs.
#include "poll/poller_fixture.h"

namespace windlass {
namespace {

TEST_F(PollerTest, LeavesSourcesAsTheyAreThatAreConfiguredAsBefore) {
  auto once = kApp;
  once.url = "r.example/once:1";
  once.run_once = true;
  const PollConfig other{.url = "r.example/other:1", .interval = 60s};
  for (const auto& config : {kApp, once, other}) source.shows[config.url] = shows(kDigest1);
  settled[kApp.url] = settled[other.url] = kDigest1.str();
  make({kApp, once});
  EXPECT_EQ(steps(), 2);
  end_job({});
  source.looked.clear();

  poller->use({other, once, kApp});
  EXPECT_EQ(steps(), 1);
  EXPECT_EQ(source.looked, std::vector<std::string>{other.url}) << "the others are not due, one has run already";
  clock.advance(60s);
  EXPECT_EQ(steps(), 2);
  EXPECT_EQ(source.count(kApp.url + " again"), 1u) << "it is known what was seen";
  EXPECT_EQ(queue.jobs.size(), 1u);

  poller->use({kApp});
  poller->use({kApp});
  clock.advance(60s);
  EXPECT_EQ(steps(), 1);
  poller->use({});
  clock.advance(1h);
  EXPECT_EQ(steps(), 0);
}

TEST_F(PollerTest, TakesWhatIsConfiguredInOtherWordsForNew) {
  auto changed = kApp;
  changed.interval = 600s;
  source.shows[kApp.url] = shows(kDigest1);
  settled[kApp.url] = kDigest1.str();
  make({kApp});
  EXPECT_EQ(steps(), 1);
  poller->use({changed});
  EXPECT_EQ(steps(), 1);
  clock.advance(60s);
  EXPECT_EQ(steps(), 0);
  poller->use({changed, changed});
  EXPECT_EQ(steps(), 1) << "named twice now";
}

TEST_F(PollerTest, LetsTheJobOfARemovedSourceEnd) {
  source.shows[kApp.url] = shows(kDigest1);
  make({kApp});
  EXPECT_EQ(steps(), 1);
  poller->use({});
  end_job({});
  clock.advance(1h);
  EXPECT_EQ(steps(), 0);
  EXPECT_EQ(queue.jobs.size(), 1u);
}

TEST_F(PollerTest, TellsNothingOfOutagesOfRemovedSources) {
  source.shows.insert_or_assign(kApp.url, fail(Kind::unavailable, "connection refused"));
  make({kApp});
  EXPECT_EQ(steps(), 1);
  poller->use({});
  poller->use({kApp});
  EXPECT_EQ(steps(), 1);
  EXPECT_EQ(listener.heard.size(), 2u) << "a source that comes back is a new one";
}

TEST_F(PollerTest, MakesNoJobForASourceThatIsRemovedWhileItIsLookedAt) {
  source.hanging.insert(kApp.url);
  make({kApp});
  std::thread looks([this] { steps(); });
  while (source.count(kApp.url) == 0) std::this_thread::sleep_for(1ms);
  poller->use({});
  poller->stop();
  looks.join();
  EXPECT_TRUE(queue.jobs.empty());
  EXPECT_TRUE(listener.heard.empty());
}

TEST_F(PollerTest, BeginsToPollWhenTheFirstSourceComesLater) {
  source.shows[kApp.url] = shows(kDigest1);
  settled[kApp.url] = kDigest1.str();
  make({});
  poller->start();
  poller->use({kApp});
  for (int i = 0; i < 1000 && source.count(kApp.url) == 0; ++i) std::this_thread::sleep_for(5ms);
  EXPECT_EQ(source.count(kApp.url), 1u);
  poller->stop();
  poller->use({kApp, kApp});  // too late for anything
}

}  // namespace
}  // namespace windlass
