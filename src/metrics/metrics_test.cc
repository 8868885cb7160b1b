#include "metrics/metrics.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

TEST(Metrics, CountByLabels) {
  Metric metric(Metric::Type::counter, "polls_total", "Polls.", {"repository", "result"});
  metric.add({"ghcr.io/acme/app", "good"});
  metric.add({"ghcr.io/acme/app", "good"});
  metric.add({"ghcr.io/acme/app", "bad"}, 0.5);
  EXPECT_EQ(metric.text(),
            "# HELP polls_total Polls.\n"
            "# TYPE polls_total counter\n"
            "polls_total{repository=\"ghcr.io/acme/app\",result=\"bad\"} 0.5\n"
            "polls_total{repository=\"ghcr.io/acme/app\",result=\"good\"} 2\n");
}

TEST(Metrics, AreThereBeforeAnythingHappensIfTheyHaveNoLabels) {
  Metric metric(Metric::Type::gauge, "jobs_waiting", "Jobs.");
  EXPECT_EQ(metric.text(), "# HELP jobs_waiting Jobs.\n# TYPE jobs_waiting gauge\njobs_waiting 0\n");
  metric.set({}, 3);
  metric.add({}, -1);
  EXPECT_EQ(metric.text(), "# HELP jobs_waiting Jobs.\n# TYPE jobs_waiting gauge\njobs_waiting 2\n");
}

TEST(Metrics, KeepForeignTextInItsLabel) {
  Metric metric(Metric::Type::counter, "x", "Back\\slash\nand \"quotes\".", {"a"});
  metric.add({"q\" 1\ny{b=\"c\\"});
  EXPECT_EQ(metric.text(),
            "# HELP x Back\\\\slash\\nand \"quotes\".\n"
            "# TYPE x counter\n"
            "x{a=\"q\\\" 1\\ny{b=\\\"c\\\\\"} 1\n");
}

TEST(Metrics, ShowHowLongThingsTook) {
  Histogram histogram("d_seconds", "Durations.", {"stack"}, {0.5, 1, 2.5});
  for (const double seconds : {0.1, 0.5, 0.6, 30.0}) histogram.observe({"web"}, seconds);
  EXPECT_EQ(histogram.text(),
            "# HELP d_seconds Durations.\n"
            "# TYPE d_seconds histogram\n"
            "d_seconds_bucket{stack=\"web\",le=\"0.5\"} 2\n"
            "d_seconds_bucket{stack=\"web\",le=\"1\"} 3\n"
            "d_seconds_bucket{stack=\"web\",le=\"2.5\"} 3\n"
            "d_seconds_bucket{stack=\"web\",le=\"+Inf\"} 4\n"
            "d_seconds_sum{stack=\"web\"} 31.2\n"
            "d_seconds_count{stack=\"web\"} 4\n");
}

TEST(Metrics, WriteLargeCountsWhole) {
  Metric metric(Metric::Type::counter, "x_total", "X.");
  metric.add({}, 12'345'678'901);
  EXPECT_NE(metric.text().find("\nx_total 12345678901\n"), std::string::npos) << metric.text();
}

}  // namespace
}  // namespace windlass
