#include "deploy/unbuilt_labels.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

std::string verdict(std::string_view labels) {
  const auto model = parse_json(R"({"services":{"db":{},"web":{"labels":)" + std::string(labels) + "}}}");
  const auto done = refuse_unbuilt_labels(model->as_object());
  return done ? "fine" : std::string(to_string(done.error().kind)) + ": " + done.error().message;
}

TEST(UnbuiltLabels, AreRefusedByName) {  // deploy/J1
  EXPECT_EQ(
      verdict(R"({"cd.doco.job.enabled":"false"})"),
      "invalid: service web: label \"cd.doco.job.enabled\" is not built yet in this version of windlass: remove it");
}

TEST(UnbuiltLabels, LetOthersPass) {
  for (const auto* labels : {"{}", "null", R"({"a":"b","cd.doco.job.wait_running_jobs":"true"})"})
    EXPECT_EQ(verdict(labels), "fine");
  EXPECT_TRUE(refuse_unbuilt_labels({}));
}

}  // namespace
}  // namespace windlass
