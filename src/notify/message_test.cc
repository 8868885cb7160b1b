#include "notify/message.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

TEST(Message, HasABodyWithWhatItIsAbout) {  // api 6.3, vector 1
  const Message message{.level = NotificationLevel::success,
                        .title = "Deployment completed",
                        .text = "Successfully deployed stack web\n\n",
                        .about = {.repository = "github.com/acme/app",
                                  .stack = "web",
                                  .target = "prod",
                                  .revision = "main (abc1234)",
                                  .job_id = "j1",
                                  .duration = "12.483s",
                                  .changed_services = {"web"}}};
  EXPECT_EQ(default_body(message),
            "Successfully deployed stack web\n"
            "\n"
            "duration: 12.483s\n"
            "job_id: j1\n"
            "repository: github.com/acme/app\n"
            "revision: main (abc1234)\n"
            "stack: web");
  EXPECT_EQ(full_title(message), "✅ Deployment completed");
}

TEST(Message, OfAReconciliationSaysWhatWasAffected) {  // api 6.3, vector 2
  Message message{.level = NotificationLevel::success,
                  .title = "Service restarted",
                  .text = "Service web_api (abc123def456) was restarted successfully on \"unhealthy\" event",
                  .about = {.repository = "acme/app",
                            .job_id = "not shown",
                            .is_reconciliation = true,
                            .reconciliation_event = "unhealthy",
                            .trace_id = "t1",
                            .actor_kind = "service",
                            .actor_id = "abc123def456",
                            .actor_name = "web_api"}};
  EXPECT_EQ(default_body(message),
            "Service web_api (abc123def456) was restarted successfully on \"unhealthy\" event\n"
            "\n"
            "repository: acme/app\n"
            "reconciliation:\n"
            "  event: unhealthy\n"
            "  service_id: abc123def456\n"
            "  service_name: web_api\n"
            "  trace_id: t1");
  EXPECT_EQ(full_title(message), "✅ [R] Service restarted");
  message.about.actor_kind = "container";
  EXPECT_TRUE(
      default_body(message).ends_with("reconciliation:\n"
                                      "  container_id: abc123def456\n"
                                      "  container_name: web_api\n"
                                      "  event: unhealthy\n"
                                      "  trace_id: t1"));
}

TEST(Message, AboutNothingIsItsTextAlone) {
  EXPECT_EQ(default_body({.text = "hello\r\n"}), "hello");
  EXPECT_EQ(default_body({.text = "hello", .about = {.is_reconciliation = true}}), "hello");
  EXPECT_EQ(default_body({.text = "\n"}), "");
}

TEST(Message, HasTheEmojiOfItsLevel) {  // api/A9
  EXPECT_EQ(full_title({.level = NotificationLevel::info, .title = "a"}), "ℹ️ a");
  EXPECT_EQ(full_title({.level = NotificationLevel::success, .title = "a"}), "✅ a");
  EXPECT_EQ(full_title({.level = NotificationLevel::warning, .title = "a"}), "⚠️ a");
  EXPECT_EQ(full_title({.level = NotificationLevel::failure, .title = "a"}), "❌ a");
}

TEST(Message, HasTextThatCanBeSent) {
  EXPECT_EQ(sendable("two\nlines\n"), "two\nlines\n");
  EXPECT_EQ(sendable("a\x1b[31mb \xff ü\n\r"), "a\\x1b[31mb \\xff ü\n\\x0d");
  EXPECT_EQ(sendable(""), "");
  std::string lines;
  for (int line = 0; line < 10'000; ++line) lines += "ten bytes\n";
  EXPECT_LE(sendable(lines).size(), 17'000u);
  EXPECT_LE(sendable(std::string(100'000, '\x01')).size(), 17'000u);
}

}  // namespace
}  // namespace windlass
