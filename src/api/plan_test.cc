#include "api/plan.h"

#include "api/endpoint_fixture.h"

namespace windlass {
namespace {

ServerRequest plan(std::string body) {
  return {.method = "POST",
          .path = "/v1/api/plan",
          .headers = {{"x-api-key", "api-secret"}},
          .body = std::move(body),
          .peer = "1.2.3.4:5"};
}

TEST(Plan, TellsWhatADeploymentWouldDo) {
  Bench bench;
  bench.archive.planned = PlanReport{
      .artifact = "r.example/acme/app:main",
      .digest = "sha256:11",
      .warnings = {".doco-cd.yaml:2: unknown key \"tiemout\", did you mean \"timeout\"?"},
      .stacks = {
          {.name = "web",
           .decision = "deploy",
           .plan = {.stack = "web", .services = {{"page", ServiceAction::recreate, {"image changed"}}}, .reasons = {}},
           .changes = {{"services.page.image", "\"a:1\"", "\"a:2\""}},
           .warnings = {"volume data is made anew"}},
          {.name = "side", .context = "edge", .decision = "failed", .reason = "no such file"}}};
  EXPECT_EQ(
      told(bench.send(plan(R"({"artifact":" r.example/acme/app:main ","target":"prod"})"))),
      R"x(200 {"content":{"artifact":"r.example/acme/app:main","digest":"sha256:11",)x"
      R"x("warnings":[".doco-cd.yaml:2: unknown key \"tiemout\", did you mean \"timeout\"?"],"stacks":[)x"
      R"x({"name":"web","context":"","decision":"deploy","plan":"recreate page (image changed)","reasons":[],)x"
      R"x("services":[{"service":"page","action":"recreate","reasons":["image changed"]}],)x"
      R"x("changes":[{"path":"services.page.image","before":"\"a:1\"","after":"\"a:2\""}],"warnings":["volume data is made anew"]},)x"
      R"x({"name":"side","context":"edge","decision":"failed","reason":"no such file","plan":"","reasons":[],"services":[],"changes":[],"warnings":[]}]}})x");
  EXPECT_EQ(bench.archive.planned_for.source_id, "r.example/acme/app");
  EXPECT_EQ(bench.archive.planned_for.target, "prod");
  EXPECT_EQ(bench.archive.planned_archive, "");
  bench.send(plan(R"({"artifact":"r.example/app:1","archive":"Ynl0ZXM="})"));
  EXPECT_EQ(bench.archive.planned_archive, "bytes");
  EXPECT_TRUE(bench.queue.jobs.empty() && bench.queue.records.empty());
}

TEST(Plan, SaysWhatIsWrong) {
  Bench bench;
  const std::pair<const char*, const char*> rows[] = {
      {"[]", R"(400 {"error":"failed to decode json in body","content":"expected an object"})"},
      {"{}", R"(400 {"error":"invalid field: artifact","content":"is required"})"},
      {R"({"artifact":"r.example/acme/app:main","archive":"%"})",
       R"(400 {"error":"invalid field: archive","content":"must be base64"})"},
      {R"({"artifact":"r.example/acme/app:main","target":"-x"})",
       R"x(400 {"error":"invalid field: target","content":"must match ^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"})x"},
  };
  for (const auto& [body, answer] : rows) EXPECT_EQ(told(bench.send(plan(body))), answer);
  EXPECT_EQ(bench.send(plan(R"({"artifact":"UPPER/x"})")).status, 400);
  bench.archive.planned = fail(Kind::invalid, "failed to get deploy configuration: no");
  EXPECT_EQ(told(bench.send(plan(R"({"artifact":"r.example/app:1"})"))),
            R"(500 {"error":"planning failed","content":"failed to get deploy configuration: no"})");
  bench.archive.planned = fail(Kind::unavailable, "503");
  EXPECT_EQ(bench.send(plan(R"({"artifact":"r.example/app:1"})")).status, 503);
}

}  // namespace
}  // namespace windlass
