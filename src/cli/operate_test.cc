#include "cli/operate.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "cli/table.h"
#include "sys/fake_http.h"

namespace windlass {
namespace {

const Environment kEnvironment{{"API_SECRET", "s3cret"}, {"WINDLASS_URL", "https://cd.example/"}};

std::string release(const std::string& id, const std::string& digest, const std::string& state) {
  return R"({"id":")" + id + R"(","stack":"web","state":")" + state + R"(","reference":"main","digest":"sha256:)" +
         digest + R"x(","trigger":"webhook","plan":"recreate page (image changed)",)x" +
         R"("started_at":"2026-01-02T03:04:05.5Z"})";
}

struct Ended {
  int code = 0;
  std::string out, err;
};

struct OperateTest : testing::Test {
  FakeTransport transport;
  Environment environment = kEnvironment;

  void answers(int status, const std::string& content) {
    transport.answer = [=](const HttpRequest&) {
      return HttpResponse{status, {}, R"({"content":)" + content + R"(,"job_id":"j-1"})"};
    };
  }
  template <class Command>
  Ended run(const Command& command, int (*what)(const Command&, const Environment&, HttpTransport&)) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = what(command, environment, transport);
    return {code, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
  }
};

TEST_F(OperateTest, ListsReleases) {
  answers(200, "[" + release("0198", std::string(64, 'b'), "succeeded") + "]");
  const auto ended = run({.stack = "web"}, show_history);
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(ended.out,
            "RELEASE  STACK  STATE      STARTED (UTC)        REFERENCE  DIGEST               BY       WHAT\n"
            "0198     web    succeeded  2026-01-02 03:04:05  main       sha256:bbbbbbbbbbbb  webhook  recreate page "
            "(image changed)\n");
  ASSERT_EQ(transport.asked.size(), 1u);
  EXPECT_EQ(transport.asked[0].url, "https://cd.example/v1/api/releases?stack=web&limit=20");
  EXPECT_EQ(transport.asked[0].headers.at(0).name + "=" + transport.asked[0].headers.at(0).value, "x-api-key=s3cret");
  EXPECT_TRUE(transport.asked[0].tls.verify);
}

TEST_F(OperateTest, SaysWhichStackIsLooping) {
  auto looping = release("0198", "b", "succeeded");
  looping.back() = ',';
  const std::string loop = R"("loop":{"deployments":3,"recreated":true,"looping":)";
  answers(200, "[" + looping + loop + R"(true,"differences":["db: environment changed","page: x"]}}])");
  EXPECT_NE(run({.stack = "web"}, show_history)
                .out.find("looping  2026-01-02 03:04:05  main       sha256:b  webhook  deployed 3 times in a row and "
                          "left alone now: db: environment changed; page: x"),
            std::string::npos);
  answers(200, "[" + looping + loop + R"(false,"differences":["db: environment changed"]}}])");
  const auto counting = run({.stack = "web"}, show_history);
  EXPECT_NE(counting.out.find("succeeded"), std::string::npos);
  EXPECT_NE(counting.out.find("deployed 3 times in a row: db: environment changed"), std::string::npos);
}

TEST_F(OperateTest, SaysInTheStatusWhatEndsALoop) {
  auto looping = release("0198", "b", "succeeded");
  looping.back() = ',';
  transport.answer = [=](const HttpRequest& request) {
    if (request.url.ends_with("/health")) return HttpResponse{200, {}, R"({"content":"healthy","job_id":"j"})"};
    const auto content = request.url.find("runs") != std::string::npos
                             ? "[]"
                             : "[" + looping +
                                   R"("context":"edge","loop":{"deployments":3,"recreated":true,"looping":true,)" +
                                   R"("looping_since":"2026-01-03T04:05:06.7Z","differences":["db: x","page: y"]}}])";
    return HttpResponse{200, {}, R"({"content":)" + content + R"(,"job_id":"j-1"})"};
  };
  const auto ended = run(StatusCommand{}, show_status);
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_TRUE(ended.out.ends_with(
      "\nedge/web is left alone since 2026-01-03 04:05:06 UTC: 3 deployments of its release in a row changed "
      "something, and so would the next:\n  db: x; page: y\nThat ends when its artifact or configuration changes, or "
      "by: windlass rollback web --to 0198 --context edge\n"))
      << ended.out;
}

TEST_F(OperateTest, AsksTheServiceOnThisMachine) {
  environment = {{"API_SECRET", "s"}, {"HTTP_PORT", "8443"}, {"HTTP_TLS_CERT_FILE", "/c"}};
  answers(200, "[]");
  run({.job_id = {}}, show_runs);
  EXPECT_TRUE(transport.asked[0].url.starts_with("https://localhost:8443/v1/api/runs?limit=20"));
  EXPECT_FALSE(transport.asked[0].tls.verify);
}

TEST_F(OperateTest, ChoosesTheGoodReleaseBeforeTheOneThatRuns) {
  const std::string all = "[" + release("05", "c", "failed") + "," + release("04", "b", "succeeded") + "," +
                          release("03", "b", "succeeded") + "," + release("02", "a", "succeeded") + "," +
                          release("01", "0", "succeeded") + "]";
  const struct {
    std::string to, said;
    int code = 0;
  } rows[] = {
      {"", "would bring back web: release 04 of 2026-01-02 03:04:05 UTC, main (sha256:b)\n"},
      {"01", "would bring back web: release 01 of 2026-01-02 03:04:05 UTC, main (sha256:0)\n"},
      {"0", "windlass rollback: 5 releases of stack web begin with 0\n", 1},
      {"9", "windlass rollback: stack web has no release 9\n", 1},
      {"05", "windlass rollback: release 05 of stack web is failed: only good ones are brought back\n", 1},
  };
  for (const auto& row : rows) {
    answers(200, all);
    const auto ended = run({.stack = "web", .to = row.to, .is_dry = true}, roll_back);
    EXPECT_EQ(ended.code, row.code);
    EXPECT_EQ(ended.err, row.said);
  }
  answers(200, "[" + release("01", "a", "succeeded") + "]");
  EXPECT_EQ(run({.stack = "web"}, roll_back).err,
            "windlass rollback: stack web has no good release before the one that runs\n");
  answers(200, "[" + release("03", "b", "removed") + "," + release("02", "b", "succeeded") + "]");
  EXPECT_EQ(run({.stack = "web", .is_dry = true}, roll_back).err,
            "would bring back web: release 02 of 2026-01-02 03:04:05 UTC, main (sha256:b)\n");
  answers(200, "[]");
  EXPECT_EQ(run({.stack = "web"}, roll_back).err, "windlass rollback: no release of stack web is known\n");
}

// Newest first; the containers are those of the first one.
TEST_F(OperateTest, LeavesAReleaseThatFailed) {
  const auto bring_back = [&](const std::vector<std::string>& releases) {
    answers(200, fmt::format("[{}]", fmt::join(releases, ",")));
    const auto ended = run({.stack = "web", .is_dry = true}, roll_back);
    return ended.code == 0 ? ended.err.substr(ended.err.find("release "), 10) : ended.err;
  };
  const std::string none = "windlass rollback: stack web has no good release before the one that runs\n";
  const auto a = release("01", "a", "succeeded"), b = release("02", "b", "succeeded");
  const auto c = release("03", "c", "failed");
  EXPECT_EQ(bring_back({c, b}), "release 02");
  EXPECT_EQ(bring_back({c, b, a}), "release 02");
  EXPECT_EQ(bring_back({release("04", "d", "failed"), c, b, a}), "release 02");
  EXPECT_EQ(bring_back({release("03", "c", "running"), b, a}), "release 02");
  EXPECT_EQ(bring_back({release("04", "b", "succeeded"), c, b, a}), "release 01") << "it went back to b by itself";
  EXPECT_EQ(bring_back({release("03", "b", "failed"), b, a}), "release 01") << "b was deployed again, and failed";
  EXPECT_EQ(bring_back({release("03", "b", "failed"), b}), none);
  EXPECT_EQ(bring_back({release("04", "c", "removed"), c, b, a}), "release 02");
  EXPECT_EQ(bring_back({c}), none);
}

TEST_F(OperateTest, RollsBack) {
  transport.answer = [](const HttpRequest& request) {
    const auto content = request.method == "POST"
                             ? R"("job completed successfully")"
                             : "[" + release("02", "b", "succeeded") + "," + release("01", "a", "succeeded") + "]";
    return HttpResponse{200, {}, R"({"content":)" + content + R"(,"job_id":"j-1"})"};
  };
  const auto ended = run({.stack = "web"}, roll_back);
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.out, "j-1\n");
  EXPECT_EQ(transport.asked.back().url, "https://cd.example/v1/api/release/01/rollback?wait=true");
}

TEST_F(OperateTest, TellsStacksOfOneNameByTheirContexts) {  // deploy 12
  const auto on = [](const std::string& id, const std::string& digest, const std::string& context) {
    auto text = release(id, digest, "succeeded");
    return text.insert(1, fmt::format(R"("context":"{}",)", context));
  };
  answers(200, fmt::format("[{},{}]", on("02", "b", "edge"), on("01", "a", "")));
  EXPECT_EQ(run({.stack = "web", .is_dry = true}, roll_back).err,
            "windlass rollback: stack web is on several engines (edge/web, web): say which with --context\n");
  EXPECT_NE(run({.stack = "web", .context = "edge"}, show_history).out.find("edge/web"), std::string::npos);
  EXPECT_EQ(transport.asked.back().url, "https://cd.example/v1/api/releases?stack=web&limit=20&context=edge");
  EXPECT_NE(run({.stack = "web", .to = "02", .is_dry = true}, roll_back).err.find("would bring back edge/web:"),
            std::string::npos);
}

TEST_F(OperateTest, SaysWhatTheServiceSaid) {
  const struct {
    int status;
    std::string body, said;
  } rows[] = {
      {401, R"({"error":"invalid api key","content":"","job_id":"j"})", "401: invalid api key"},
      {409, R"({"error":"release content is gone","content":"","job_id":"j"})", "409: release content is gone"},
      {500, R"({"error":"deployment failed","content":"boom","job_id":"j"})", "500: deployment failed: boom"},
      {404, "404 page not found\n", "404: no REST API there: is API_SECRET set for the service?"},
      {502, "<html>", "502: <html>"},
      {200, "[]", "the answer is not one of windlass"},
  };
  for (const auto& [status, body, said] : rows) {
    transport.answer = [&, status = status, body = body](const HttpRequest&) { return HttpResponse{status, {}, body}; };
    const auto ended = run({.stack = "web"}, show_history);
    EXPECT_EQ(ended.code, 1);
    EXPECT_EQ(ended.err, "windlass history: GET https://cd.example/v1/api/releases?stack=web&limit=20: " + said + "\n");
  }
}

// reliability/P19: what a server says must not steer the terminal that shows it.
TEST_F(OperateTest, ShowsNoEscapesOfTheServer) {
  const std::string escape = R"(\u001b]0;x\u0007\u009b2J\r)";
  const auto said = [&](int status, std::string body) {
    transport.answer = [status, body = std::move(body)](const HttpRequest&) { return HttpResponse{status, {}, body}; };
  };
  const auto clean = [](const Ended& ended) {
    for (const auto& text : {ended.out, ended.err})
      EXPECT_EQ(text.find_first_of("\x1b\x07\r"), text.npos) << printable(text);
    EXPECT_EQ((ended.out + ended.err).find("\u009b"), std::string::npos);
    EXPECT_NE((ended.out + ended.err).find("\\x1b"), std::string::npos) << "it is shown, as text";
  };
  said(400, R"({"error":"e)" + escape + R"(","content":"c)" + escape + R"("})");
  clean(run({.stack = "web"}, show_history));
  clean(run(StatusCommand{}, show_status));
  clean(run(RunsCommand{}, show_runs));
  clean(run(RollbackCommand{.stack = "web"}, roll_back));
  said(200, R"({"content":{"k)" + escape + R"(":"v)" + escape + R"(","nested":{"x)" + escape + R"(":1}}})");
  clean(run(RunsCommand{.job_id = "j"}, show_runs));
  const auto name = [&](std::string_view id) {
    return fmt::format(R"({{"id":"{0}{1}","stack":"s{1}","context":"c{1}","state":"succeeded","reference":"r{1}",)"
                       R"("digest":"{0}{1}","started_at":"{1}"}})",
                       id, escape);
  };
  said(200, R"({"content":[)" + name("a") + "," + name("b") + R"(],"job_id":"j)" + escape + R"("})");
  clean(run(RollbackCommand{.stack = "web", .is_dry = true}, roll_back));
  clean(run({.stack = "web"}, show_history));
}

TEST_F(OperateTest, NeedsAKey) {
  environment = {};
  const auto ended = run({.stack = "web"}, show_history);
  EXPECT_EQ(ended.code, 2);
  EXPECT_EQ(
      ended.err,
      "windlass history: API secret: no API secret: give --api-secret-file FILE (- is standard input), API_SECRET "
      "or API_SECRET_FILE\n");
}

TEST(Table, ShowsForeignTextAsText) {
  EXPECT_EQ(table({{"A", "B"}, {"long", "x\x1b[2J"}}), "A     B\nlong  x\\x1b[2J\n");
  EXPECT_EQ(short_digest("sha256:0123456789abcdef"), "sha256:0123456789ab");
  EXPECT_EQ(shown_time("2026-01-02T03:04:05Z"), "2026-01-02 03:04:05");
}

}  // namespace
}  // namespace windlass
