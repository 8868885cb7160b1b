#include "cli/plan.h"

#include <gtest/gtest.h>

#include "sys/fake_http.h"

namespace windlass {
namespace {

TEST(PlanCommand, PrintsWhatWouldBeDone) {
  FakeTransport transport;
  transport.answer = [](const HttpRequest&) {
    return HttpResponse{200, {}, R"x({"content":{"artifact":"r.example/app:1","digest":"sha256:11",
      "warnings":["unknown key \"tiemout\""],"stacks":[
      {"name":"web","decision":"deploy","reasons":["the last release of the stack failed"],
       "services":[{"service":"page","action":"recreate","reasons":["image changed","ports changed"]},
                   {"service":"db","action":"keep","reasons":[]}],
       "changes":[{"path":"services.page.image","before":"\"a:1\"","after":"\"a:2\""},
                  {"path":"services.page.tty","before":"","after":"true"}],
       "warnings":["volume data is made anew"]},
      {"name":"side","decision":"failed","reason":"no such file","services":[],"changes":[]}]},"job_id":"j"})x"};
  };
  testing::internal::CaptureStdout();
  const int code = show_plan({.reference = "r.example/app:1", .target = "prod"},
                             {{"API_SECRET", "s"}, {"WINDLASS_URL", "https://cd.example"}}, transport);
  EXPECT_EQ(testing::internal::GetCapturedStdout(),
            "r.example/app:1\nsha256:11\n! unknown key \"tiemout\"\n\n"
            "web: deploy\n  the last release of the stack failed\n"
            "  recreate  page  (image changed, ports changed)\n  keep      db\n"
            "  - services.page.image: \"a:1\"\n  + services.page.image: \"a:2\"\n  + services.page.tty: true\n"
            "  ! volume data is made anew\n\n"
            "side: failed: no such file\n");
  EXPECT_EQ(code, 1) << "a stack is known to fail";
  EXPECT_EQ(transport.asked.at(0).url, "https://cd.example/v1/api/plan");
  EXPECT_EQ(transport.asked.at(0).body, R"({"artifact":"r.example/app:1","target":"prod"})");
}

TEST(PlanCommand, EndsWellWhenNoStackIsKnownToFail) {
  FakeTransport transport;
  transport.answer = [](const HttpRequest&) {
    return HttpResponse{200, {}, R"({"content":{"stacks":[{"name":"web","decision":"unchanged"}]},"job_id":"j"})"};
  };
  testing::internal::CaptureStdout();
  const int code = show_plan({.reference = "r.example/app:1"}, {{"API_SECRET", "s"}}, transport);
  testing::internal::GetCapturedStdout();
  EXPECT_EQ(code, 0);
}

}  // namespace
}  // namespace windlass
