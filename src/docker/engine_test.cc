#include "docker/engine.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <fstream>
#include <sstream>
#include <thread>

#include "docker/context.h"
#include "sys/fake_http.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

std::string testdata(const std::string& name) {
  std::ifstream file(WINDLASS_SOURCE_DIR "/src/docker/testdata/" + name, std::ios::binary);
  EXPECT_TRUE(file) << name;
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

Deadline soon() { return Deadline::in(5s); }

// An engine behind a FakeTransport: path after the version -> answer.
struct EngineTest : testing::Test {
  FakeTransport transport;
  std::map<std::string, HttpResponse> answers;
  std::string version_answer = testdata("version.json");

  EngineTest() {
    transport.answer = [this](const HttpRequest& request) -> Result<HttpResponse> {
      auto path = request.url.substr(std::string("http://docker").size());
      if (path == "/version") return HttpResponse{.status = 200, .body = version_answer};
      const auto found = answers.find(path);
      if (found == answers.end()) return HttpResponse{.status = 404, .body = R"({"message":"page not found"})"};
      return found->second;
    };
  }

  std::unique_ptr<Engine> engine(EngineOptions options = {}) {
    options.docker_host = "unix:///run/docker.sock";
    auto made = make_engine(options, transport);
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  }
};

template <class T>
std::string message_of(const Result<T>& result) {
  return result ? "no error" : std::string(to_string(result.error().kind)) + ": " + result.error().message;
}

TEST_F(EngineTest, ListsTheContainersWithALabel) {
  answers["/v1.45/containers/json?all=1&filters=%7B%22label%22%3A%5B%22com.docker.compose.project%3Dshop%22%5D%7D"] = {
      .status = 200, .body = testdata("containers.json")};
  const auto containers = engine()->containers({"com.docker.compose.project=shop"}, soon());
  ASSERT_TRUE(containers) << containers.error().message;
  ASSERT_EQ(containers->size(), 3u);
  const auto& web = containers->front();
  EXPECT_EQ(web.id, "7cd14888f50e464fa36f07bcfbcc5e50d947d8b90a96179d5f7d4a9c1b6e5015");
  EXPECT_EQ(web.name, "shop-web-1");
  EXPECT_EQ(web.image, "bb:1");
  EXPECT_EQ(web.image_id, "sha256:d81c4c23ecfbb66fbed288a8947a6bb599b3ed12a80bc127f90d391098a13b77");
  EXPECT_EQ(web.state, "running");
  EXPECT_EQ(web.label("com.docker.compose.service"), "web");
  EXPECT_EQ(web.label("none"), "");
  EXPECT_EQ(web.bind_sources, std::vector<std::string>{"/srv/shop/d"});
  EXPECT_EQ(transport.asked.back().unix_socket, "/run/docker.sock");
  EXPECT_FALSE(transport.asked.back().use_proxy);
}

TEST_F(EngineTest, ListsVolumesAndWhoHasThem) {
  answers["/v1.45/volumes?filters=%7B%22label%22%3A%5B%22com.docker.compose.project%3Dshop%22%5D%7D"] = {
      .status = 200,
      .body = R"({"Volumes":[{"Name":"shop_data","Driver":"local","Labels":{"a":"b"},"Mountpoint":"/m","Options":null},
        {"Name":"shop_nfs","Driver":"local","Labels":null,"Options":{"type":"nfs","o":"addr=10.0.0.1"}}],
        "Warnings":null})"};
  const auto volumes = engine()->volumes({"com.docker.compose.project=shop"}, soon());
  ASSERT_TRUE(volumes) << volumes.error().message;
  ASSERT_EQ(volumes->size(), 2u);
  EXPECT_EQ((*volumes)[0].name, "shop_data");
  EXPECT_EQ((*volumes)[0].driver, "local");
  EXPECT_EQ((*volumes)[0].labels, (Labels{{"a", "b"}}));
  EXPECT_TRUE((*volumes)[0].options.empty());
  EXPECT_EQ((*volumes)[1].options.at("type"), "nfs");
  answers["/v1.45/volumes?filters=%7B%22label%22%3A%5B%5D%7D"] = {.status = 200, .body = R"({"Volumes":null})"};
  EXPECT_EQ(engine()->volumes({}, soon())->size(), 0u);

  answers["/v1.45/containers/json?all=1&filters=%7B%22volume%22%3A%5B%22shop_data%22%5D%7D"] = {
      .status = 200, .body = testdata("containers.json")};
  EXPECT_EQ(engine()->containers_with_volume("shop_data", soon())->size(), 3u);

  answers["/v1.45/volumes/shop_data"] = {.status = 409, .body = R"({"message":"volume is in use"})"};
  EXPECT_EQ(engine()->remove_volume("shop_data", soon()).error().kind, Kind::conflict);
  EXPECT_EQ(transport.asked.back().method, "DELETE");
}

TEST_F(EngineTest, MakesContainers) {
  answers["/v1.45/containers/create?name=web-1"] = {.status = 201, .body = R"({"Id":"c1","Warnings":[]})"};
  answers["/v1.45/containers/c1/start"] = {.status = 304};
  answers["/v1.45/containers/c2/start"] = {.status = 204};
  answers["/v1.45/networks/proxy/connect"] = {.status = 200};
  answers["/v1.45/containers/c1/json"] = {.status = 200, .body = R"({"Id":"c1","HostConfig":{}})"};
  const auto made = engine()->create("web-1", {{"Image", "sha256:1"}}, soon());
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(*made, "c1");
  EXPECT_EQ(transport.asked.back().method + transport.asked.back().body, R"(POST{"Image":"sha256:1"})");
  EXPECT_TRUE(engine()->start("c1", soon())) << "it runs already";
  EXPECT_TRUE(engine()->start("c2", soon()));
  EXPECT_TRUE(engine()->connect("proxy", "c1", {{"Aliases", {"cd"}}}, soon()));
  EXPECT_EQ(transport.asked.back().body, R"({"Container":"c1","EndpointConfig":{"Aliases":["cd"]}})");
  EXPECT_TRUE(engine()->inspect_json("c1", soon())->contains("HostConfig"));
  EXPECT_EQ(engine()->start("c3", soon()).error().kind, Kind::not_found);
}

TEST_F(EngineTest, ExecutesAProgramInAContainer) {
  answers["/v1.45/containers/c1/exec"] = {.status = 201, .body = R"({"Id":"e1"})"};
  answers["/v1.45/exec/e1/start"] = {.status = 200};
  answers["/v1.45/exec/e1/json"] = {.status = 200, .body = R"({"ID":"e1","Running":false,"ExitCode":3})"};
  const auto code = engine()->execute("c1", {"/windlass", "healthcheck"}, soon());
  ASSERT_TRUE(code) << code.error().message;
  EXPECT_EQ(*code, 3);
  std::vector<std::string> bodies;
  for (const auto& request : transport.asked)
    if (request.method == "POST") bodies.push_back(request.body);
  EXPECT_EQ(bodies, (std::vector<std::string>{R"({"Cmd":["/windlass","healthcheck"]})", R"({"Detach":true})"}));
  answers["/v1.45/exec/e1/json"] = {.status = 200, .body = R"({"ID":"e1","Running":true,"ExitCode":null})"};
  EXPECT_EQ(engine()->execute("c1", {"/windlass"}, Deadline::in(120ms)).error().kind, Kind::unavailable);
  answers["/v1.45/exec/e1/start"] = {.status = 400, .body = R"({"message":"no such file or directory"})"};
  EXPECT_EQ(engine()->execute("c1", {"/windlass"}, soon()).error().kind, Kind::invalid);
  answers["/v1.45/containers/c1/exec"] = {.status = 409, .body = R"({"message":"container is not running"})"};
  EXPECT_EQ(engine()->execute("c1", {"/windlass"}, soon()).error().kind, Kind::conflict);
}

TEST_F(EngineTest, StopsWhatRuns) {
  for (const auto& [status, ends] : {std::pair(204, "no error"), {304, "no error"}, {404, "not_found"}}) {
    answers["/v1.45/containers/web/stop"] = {.status = status, .body = "{}"};
    const auto stopped = engine()->stop("web", soon());
    EXPECT_EQ(stopped ? "no error" : to_string(stopped.error().kind), ends) << status;
  }
}

TEST_F(EngineTest, DescribesAHealthyContainer) {
  answers["/v1.45/containers/shop-web-1/json"] = {.status = 200, .body = testdata("container-healthy.json")};
  const auto web = engine()->inspect("shop-web-1", soon());
  ASSERT_TRUE(web) << web.error().message;
  EXPECT_EQ(web->name, "shop-web-1");
  EXPECT_EQ(web->state, "running");
  EXPECT_EQ(web->health, Health::healthy);
  EXPECT_EQ(web->checks.exit_code, 0);
  EXPECT_EQ(web->checks.output, "ok\n");
  EXPECT_EQ(web->checks.failures, 0);
  EXPECT_EQ(web->checks.retries, 3) << "the engine's default";
  EXPECT_EQ(web->restart_policy, "always");
  EXPECT_EQ(web->started_at, "2026-11-24T07:47:45.173996269Z");
  EXPECT_EQ(web->labels.at("com.docker.compose.service"), "web");
  ASSERT_EQ(web->mounts.size(), 1u);
  EXPECT_EQ(web->mounts[0].source, "/srv/shop/d");
  EXPECT_EQ(web->mounts[0].destination, "/d");
  EXPECT_FALSE(web->mounts[0].writable);
  EXPECT_FALSE(web->tty);
}

TEST_F(EngineTest, DescribesAnExitedContainer) {
  answers["/v1.45/containers/abc/json"] = {.status = 200, .body = testdata("container-exited.json")};
  const auto once = engine()->inspect("abc", soon());
  ASSERT_TRUE(once) << once.error().message;
  EXPECT_EQ(once->state, "exited");
  EXPECT_EQ(once->exit_code, 3);
  EXPECT_EQ(once->health, Health::none);
  EXPECT_EQ(once->restart_policy, "no");
  EXPECT_EQ(once->restart_count, 0);
}

TEST_F(EngineTest, GivesTheLogsOfBothOutputs) {
  answers["/v1.45/containers/web/json"] = {.status = 200, .body = testdata("container-healthy.json")};
  answers["/v1.45/containers/web/logs?stdout=1&stderr=1&tail=20"] = {.status = 200,
                                                                     .body = testdata("logs-multiplexed.bin")};
  const auto logs = engine()->last_logs("web", 20, soon());
  ASSERT_TRUE(logs) << logs.error().message;
  EXPECT_EQ(*logs, "warning\nserving\n");
}

TEST_F(EngineTest, GivesTheLogsOfATerminal) {
  answers["/v1.45/containers/term/json"] = {.status = 200, .body = testdata("container-tty.json")};
  answers["/v1.45/containers/term/logs?stdout=1&stderr=1&tail=5"] = {.status = 200, .body = testdata("logs-tty.bin")};
  const auto logs = engine()->last_logs("term", 5, soon());
  ASSERT_TRUE(logs) << logs.error().message;
  EXPECT_EQ(*logs, "raw\r\n");
}

TEST_F(EngineTest, FindsTheIdOfAnImage) {
  answers["/v1.45/images/bb:1/json"] = {.status = 200, .body = testdata("image.json")};
  EXPECT_EQ(engine()->image_id("bb:1", soon()),
            "sha256:d81c4c23ecfbb66fbed288a8947a6bb599b3ed12a80bc127f90d391098a13b77");
  answers["/v1.45/images/nope:1/json"] = {.status = 404, .body = R"({"message":"No such image: nope:1"})"};
  EXPECT_EQ(
      message_of(engine()->image_id("nope:1", soon())),
      "not_found: docker engine at unix:///run/docker.sock: GET /v1.45/images/nope:1/json: 404: No such image: nope:1");
}

TEST_F(EngineTest, LetsNoImageNameReachAnotherCall) {
  for (const char* name : {"../containers/x", "a/../../info", "a//b", "", "/"})
    EXPECT_EQ(message_of(engine()->image_id(name, soon())),
              std::string("not_found: docker engine at unix:///run/docker.sock: '") + name + "' is not an image name");
  EXPECT_TRUE(transport.asked.empty());
  (void)engine()->image_id("a?b#c d", soon());
  EXPECT_EQ(transport.asked.back().url, "http://docker/v1.45/images/a%3Fb%23c%20d/json");
}

TEST_F(EngineTest, TellsWhatTheEngineIs) {
  answers["/v1.45/info"] = {.status = 200, .body = testdata("info.json")};
  const auto info = engine()->info(soon());
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->version, "26.1.5+dfsg1");
  EXPECT_EQ(info->api_version, "1.45");
  EXPECT_FALSE(info->swarm_manager);
}

TEST_F(EngineTest, PingsWithoutAVersion) {
  answers["/_ping"] = {.status = 200};
  EXPECT_TRUE(engine()->ping());
  ASSERT_EQ(transport.asked.size(), 1u);
  EXPECT_EQ(transport.asked[0].method, "HEAD");
  answers["/_ping"] = {.status = 500};
  EXPECT_EQ(message_of(engine()->ping()), "unavailable: docker engine at unix:///run/docker.sock: HEAD /_ping: 500");
}

TEST_F(EngineTest, NegotiatesTheVersion) {
  struct Row {
    std::string server, oldest, spoken;
  };
  const Row rows[] = {
      {"1.41", "1.12", "no error 1.41"},
      {"1.45", "1.24", "no error 1.45"},
      {"1.51", "1.44", "no error 1.47"},
      {"2.1", "1.24", "no error 1.47"},
      {"1.40", "1.12", "invalid: docker engine at unix:///run/docker.sock: speaks API 1.40, 1.41 or newer is needed"},
      {"1.60", "1.50",
       "invalid: docker engine at unix:///run/docker.sock: needs API 1.50 or newer, windlass speaks up to 1.47"},
      {"x", "", "invalid: docker engine at unix:///run/docker.sock: API version 'x' is not a version"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.server);
    version_answer = R"({"ApiVersion":")" + row.server + R"(","MinAPIVersion":")" + row.oldest + R"("})";
    answers["/v1.41/info"] = answers["/v1.45/info"] = answers["/v1.47/info"] = {.status = 200, .body = "{}"};
    const auto info = engine()->info(soon());
    EXPECT_EQ(message_of(info) + (info ? " " + info->api_version : ""), row.spoken);
  }
}

TEST_F(EngineTest, AsksForTheVersionOnceAndAgainAfterAnOutage) {
  answers["/v1.45/info"] = {.status = 200, .body = "{}"};
  const auto one = engine();
  (void)one->info(soon());
  (void)one->info(soon());
  EXPECT_EQ(transport.asked.size(), 3u);
  answers["/v1.45/info"] = {.status = 503, .body = "shutting down"};
  EXPECT_EQ(message_of(one->info(soon())),
            "unavailable: docker engine at unix:///run/docker.sock: GET /v1.45/info: 503: shutting down");
  version_answer = R"({"ApiVersion":"1.46","MinAPIVersion":"1.44"})";
  answers["/v1.46/info"] = {.status = 200, .body = "{}"};
  EXPECT_EQ(one->info(soon())->api_version, "1.46");
}

TEST_F(EngineTest, TakesTheVersionThatIsSet) {
  answers["/v1.43/info"] = {.status = 200, .body = "{}"};
  EXPECT_TRUE(engine({.api_version = "1.43"})->info(soon()));
  EXPECT_EQ(transport.asked.size(), 1u);
  EXPECT_EQ(message_of(make_engine({.api_version = "new"}, transport)),
            "invalid: DOCKER_API_VERSION 'new' is not a version such as 1.43");
}

TEST_F(EngineTest, SaysByItsKindWhatToDoAboutAnError) {
  const std::pair<int, Kind> rows[] = {{400, Kind::invalid},   {401, Kind::denied},     {403, Kind::denied},
                                       {404, Kind::not_found}, {409, Kind::conflict},   {500, Kind::unavailable},
                                       {302, Kind::invalid},   {503, Kind::unavailable}};
  for (const auto& [status, kind] : rows) {
    SCOPED_TRACE(status);
    answers["/v1.45/containers/x/json"] = {.status = status, .body = R"({"message":"why"})"};
    const auto found = engine()->inspect("x", soon());
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().kind, kind);
  }
  transport.answer = [](const HttpRequest&) -> Result<HttpResponse> {
    return fail(Kind::unavailable, "GET http://docker/version: connection refused");
  };
  EXPECT_EQ(message_of(engine()->containers({}, soon())),
            "unavailable: docker engine at unix:///run/docker.sock: GET http://docker/version: connection refused");
}

TEST_F(EngineTest, RefusesAnswersThatNoEngineGives) {
  for (const char* body : {"", "[]", "{", "{}", R"({"State":3})"}) {
    answers["/v1.45/containers/x/json"] = {.status = 200, .body = body};
    const auto found = engine()->inspect("x", soon());
    ASSERT_FALSE(found) << body;
    EXPECT_EQ(found.error().kind, Kind::invalid);
  }
}

// Sends the answer of /events in pieces, then waits until it is told to stop.
struct StreamingTransport final : HttpTransport {
  HttpTransport& rest;
  std::vector<std::string> pieces;
  bool stays_open = true;
  std::string asked;
  explicit StreamingTransport(HttpTransport& rest) : rest(rest) {}

  Result<HttpResponse> send(const HttpRequest& request, const Deadline& deadline) override {
    return rest.send(request, deadline);
  }
  Result<HttpResponse> stream(const HttpRequest& request, const HeadCheck& wants, const BodySink& sink,
                              const Deadline& deadline) override {
    asked = request.url;
    HttpResponse head{.status = 200};
    if (!wants(head)) return head;
    for (const auto& piece : pieces)
      if (auto taken = sink(piece); !taken) return tl::unexpected(taken.error());
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any never;
    if (stays_open) never.wait(lock, deadline.stop, [] { return false; });
    return head;
  }
};

// The engine says nothing at all, no header either, until the container has stopped and started.
TEST_F(EngineTest, WaitsAsLongAsARestartMayTake) {
  answers["/v1.45/containers/c1/restart?t=3000&signal=SIGINT"] = {.status = 204};
  ASSERT_TRUE(engine()->restart("c1", 3000, "SIGINT", soon()));
  EXPECT_GT(transport.asked.back().header_timeout, 3000s);
  EXPECT_GT(transport.asked.back().idle_timeout, 3000s);
}

// An answer may come byte by byte, which no limit on silence ends.
struct DrippingTransport final : HttpTransport {
  HttpTransport& rest;
  std::vector<std::chrono::milliseconds> limits;
  explicit DrippingTransport(HttpTransport& rest) : rest(rest) {}

  Result<HttpResponse> send(const HttpRequest& request, const Deadline& deadline) override {
    limits.push_back(deadline.left());
    return rest.send(request, deadline);
  }
  Result<HttpResponse> stream(const HttpRequest& request, const HeadCheck& wants, const BodySink& sink,
                              const Deadline& deadline) override {
    limits.push_back(deadline.left());
    return rest.stream(request, wants, sink, deadline);
  }
};

TEST_F(EngineTest, GivesEveryCallALimitInAll) {
  answers["/v1.45/containers/c1/json"] = {.status = 200, .body = testdata("container-healthy.json")};
  DrippingTransport dripping(transport);
  const auto one = *make_engine({.docker_host = "unix:///run/docker.sock"}, dripping);
  const auto job = Deadline::in(30min);
  (void)one->info(job);
  (void)one->containers({}, job);
  (void)one->volumes({}, job);
  (void)one->inspect("c1", job);
  (void)one->last_logs("c1", 10, job);
  (void)one->image_id("nginx", job);
  (void)one->create("c2", {}, job);
  (void)one->start("c1", job);
  (void)one->remove("c1", job);
  ASSERT_EQ(dripping.limits.size(), 11u) << "one for the version, two for the logs";
  for (const auto limit : dripping.limits) EXPECT_LE(limit, 60s);
  (void)one->restart("c1", 3000, "", job);
  EXPECT_GT(dripping.limits.back(), 20min) << "a container may take long to stop";
}

// An engine that answers nothing holds as many jobs as may ask at once, and no other.
TEST_F(EngineTest, FailsQuestionsBehindThoseThatAContextDoesNotAnswer) {
  std::mutex mutex;
  std::condition_variable_any ended;
  int waiting = 0;
  bool answers_again = false;
  struct HangingTransport final : HttpTransport {
    std::function<Result<HttpResponse>(const Deadline&)> hang;
    Result<HttpResponse> send(const HttpRequest&, const Deadline& deadline) override { return hang(deadline); }
    Result<HttpResponse> stream(const HttpRequest&, const HeadCheck&, const BodySink&,
                                const Deadline& deadline) override {
      return hang(deadline);
    }
  } hanging;
  hanging.hang = [&](const Deadline& deadline) -> Result<HttpResponse> {
    std::unique_lock lock(mutex);
    ++waiting;
    ended.notify_all();
    ended.wait_until(lock, deadline.stop, deadline.at, [&] { return answers_again; });
    return HttpResponse{.status = 200, .body = "[]"};
  };
  const auto edge = *make_context_engine({.name = "edge", .host = "tcp://127.0.0.1:1"}, {}, "1.45", hanging);
  std::vector<std::jthread> jobs;
  for (int i = 0; i < 4; ++i) jobs.emplace_back([&] { EXPECT_TRUE(edge->containers({}, Deadline::in(50s))); });
  {
    std::unique_lock lock(mutex);
    ended.wait(lock, [&] { return waiting == 4; });
  }
  const auto refused = edge->containers({}, Deadline::in(100ms));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("4 calls wait for its answer already"), std::string::npos)
      << refused.error().message;
  {
    const std::lock_guard lock(mutex);
    answers_again = true;
  }
  ended.notify_all();
  jobs.clear();
  EXPECT_TRUE(edge->containers({}, soon()));
}

TEST_F(EngineTest, GivesTheEventsOfAProject) {
  StreamingTransport streaming(transport);
  const auto recorded = testdata("events.jsonl");
  for (std::size_t at = 0; at < recorded.size(); at += 100) streaming.pieces.push_back(recorded.substr(at, 100));
  const auto one = make_engine({.docker_host = "unix:///run/docker.sock"}, streaming);
  auto events = (*one)->events("com.docker.compose.project=shop", {"start", "die", "destroy", "health_status"}, soon());
  ASSERT_TRUE(events) << events.error().message;
  EXPECT_EQ(streaming.asked,
            "http://docker/v1.45/events?filters=%7B%22type%22%3A%5B%22container%22%5D%2C%22label%22%3A%5B%22com.docker."
            "compose.project%3Dshop%22%5D%2C%22event%22%3A%5B%22start%22%2C%22die%22%2C%22destroy%22%2C%22health_"
            "status%22%2C%22remove%22%5D%7D");
  std::string actions;
  Labels last;
  for (int i = 0; i < 5; ++i) {
    auto event = (*events)->next(soon());
    ASSERT_TRUE(event && *event);
    actions += (*event)->action + " of " + (*event)->attributes["com.docker.compose.service"] + "; ";
    EXPECT_EQ((*event)->attributes["exitCode"], (*event)->action == "die" ? "3" : "");
  }
  EXPECT_EQ(actions, "start of web; start of once; start of term; die of once; health_status: healthy of web; ");
  const auto none = (*events)->next(Deadline::in(10ms));
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
}  // ends here, although the engine keeps the stream open

TEST_F(EngineTest, HearsPodmanInDockersWords) {
  StreamingTransport streaming(transport);
  streaming.pieces = {R"({"Action":"remove","Actor":{"ID":"c1","Attributes":{"name":"web"}},"timeNano":1})"
                      "\n"
                      R"({"Action":"health_status","HealthStatus":"unhealthy","Actor":{"ID":"c1"}})"
                      "\n"
                      R"({"Action":"health_status: healthy","Actor":{"ID":"c1"}})"
                      "\n"};
  const auto one = make_engine({.docker_host = "unix:///run/podman/podman.sock"}, streaming);
  auto events = (*one)->events("a=b", {"destroy", "health_status"}, soon());
  ASSERT_TRUE(events) << events.error().message;
  for (const char* action : {"destroy", "health_status: unhealthy", "health_status: healthy"})
    EXPECT_EQ((**(*events)->next(soon())).action, action);
}

TEST_F(EngineTest, TellsThatTheEventStreamEnded) {
  StreamingTransport streaming(transport);
  streaming.stays_open = false;
  const auto one = make_engine({.docker_host = "unix:///run/docker.sock"}, streaming);
  auto events = (*one)->events("com.docker.compose.project=shop", {"start", "die", "destroy", "health_status"}, soon());
  ASSERT_TRUE(events);
  EXPECT_EQ(message_of((*events)->next(soon())), "unavailable: the event stream ended");
  streaming.pieces = {"not an event\n"};
  events = (*one)->events("com.docker.compose.project=shop", {"start", "die", "destroy", "health_status"}, soon());
  ASSERT_TRUE(events);
  EXPECT_EQ((*events)->next(soon()).error().kind, Kind::unavailable);
}

TEST_F(EngineTest, SaysWhyItHasNoEvents) {
  EXPECT_EQ(message_of(engine()->events("com.docker.compose.project=shop", {"start", "die", "destroy", "health_status"},
                                        soon())),
            "unavailable: docker engine at unix:///run/docker.sock: GET /events: 404: page not found");
}

}  // namespace
}  // namespace windlass
