#include "notify/body_template.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

const Message kMessage{.level = NotificationLevel::failure,
                       .title = "Deployment Failed",
                       .text = "web is unhealthy",
                       .about = {.repository = "ghcr.io/acme/app",
                                 .stack = "web",
                                 .target = "prod",
                                 .revision = "main",
                                 .job_id = "j1",
                                 .changed_services = {"api", "db"}}};

TEST(BodyTemplate, HasTheFieldsOfThePage) {  // api 6.3
  const auto body = BodyTemplate::parse(
      "{{.Level}} {{.Emoji}} {{.Title}} {{.Message}} {{.IsReconciliation}} {{.Repository}} {{.Stack}} {{.Target}} "
      "{{.Context}} {{.Revision}} {{.JobID}} {{.ReconciliationEvent}} {{.TraceID}} {{.AffectedActorKind}} "
      "{{.AffectedActorID}} {{.AffectedActorName}} {{.Commits}} {{.Duration}} {{.ChangedServices}}\n{{.DefaultBody}}");
  ASSERT_TRUE(body) << body.error().message;
  EXPECT_EQ(
      body->body_of(kMessage).value(),
      "failure ❌ Deployment Failed web is unhealthy false ghcr.io/acme/app web prod  main j1      []  [api db]\n" +
          default_body(kMessage));
}

TEST(BodyTemplate, IsTriedWithEveryFieldFilled) {
  EXPECT_TRUE(BodyTemplate::parse("{{range .Commits}}{{.Hash}} {{.ShortHash}} {{.Subject}} {{.Author}} {{.}}{{end}}"));
  const auto unknown = BodyTemplate::parse("{{if .IsReconciliation}}\n{{.Reason}}{{end}}");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message, "line 2: there is no field Reason in struct");
  EXPECT_FALSE(BodyTemplate::parse("{{range .Commits}}{{.Date}}{{end}}"));
}

TEST(BodyTemplate, SaysWhatAMessageLacks) {
  const auto body = BodyTemplate::parse("{{(index .Commits 0).Subject}}");
  ASSERT_TRUE(body);
  EXPECT_FALSE(body->body_of(kMessage));
}

}  // namespace
}  // namespace windlass
