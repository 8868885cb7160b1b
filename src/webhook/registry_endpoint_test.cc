// The requests of real registries, one file each in registry/vectors (registry-events 7), and what is wrong with
// requests.
#include "webhook/registry_endpoint.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/text.h"
#include "jobs/fake_queue.h"
#include "sys/fake_http.h"
#include "sys/json.h"
#include "webhook/endpoint.h"
#include "webhook/registry/detection.h"
#include "webhook/registry/google_token_fixture.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;

struct Vector {
  std::string name;
  json::value whole;

  std::string text(std::string_view pointer) const { return std::string(text_at(whole, pointer)); }
  const json::value* at(std::string_view pointer) const { return value_at(whole, pointer); }
};

std::vector<Vector> vectors() {
  std::vector<Vector> list;
  for (const auto& entry : fs::directory_iterator(WINDLASS_SOURCE_DIR "/src/webhook/registry/vectors")) {
    std::ifstream file(entry.path());
    std::stringstream text;
    text << file.rdbuf();
    auto value = parse_json(text.str());
    EXPECT_TRUE(value) << entry.path();
    if (value) list.push_back({entry.path().stem().string(), *value});
  }
  std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return list;
}

ServerRequest request_of(const Vector& vector) {
  const auto target = vector.text("/target");
  const auto question = target.find('?');
  ServerRequest request{.method = vector.text("/method"),
                        .path = target.substr(0, question),
                        .query = question == std::string::npos ? "" : target.substr(question + 1),
                        .peer = "198.51.100.1:4711"};
  for (const auto& header : vector.at("/headers")->get_object())
    request.headers.push_back({std::string(header.key()), std::string(header.value().get_string())});
  if (const auto* raw = vector.at("/body_raw"))
    request.body = std::string(raw->get_string());
  else if (const auto* body = vector.at("/body"); body != nullptr && !body->is_null())
    request.body = json::serialize(*body);
  return request;
}

RegistryHook hook_of(const Vector& vector) {
  RegistryHook hook{.format = *parse_registry_format(vector.text("/format")), .allow = {"**"}};
  const auto secret = vector.text("/auth/secret");
  hook.secret = Secret(secret.empty() ? vector.text("/auth/value") : secret);
  hook.registry_host = vector.text("/config/registry_host");
  if (const auto* places = vector.at("/config/repositories"))
    for (const auto& place : places->get_object())
      hook.repositories[std::string(place.key())] = std::string(place.value().get_string());
  return hook;
}

// The whole endpoint with one registry and no native secret.
struct Bench {
  explicit Bench(RegistryHook hook, std::vector<std::string> allowed = {})
      : Bench(std::vector{std::move(hook)}, std::move(allowed)) {}
  explicit Bench(std::vector<RegistryHook> hooks, std::vector<std::string> allowed = {}, std::string secret = "")
      : endpoint({.senders = {.secret = Secret(std::move(secret)), .registry_hooks = std::move(hooks)},
                  .allowed_artifacts = std::move(allowed)},
                 queue, transport, clock, Log({.level = LogLevel::critical})) {}

  ServerResponse send(ServerRequest request) {
    std::optional<ServerResponse> answer;
    endpoint.handle(std::move(request), [&](ServerResponse response) { answer = std::move(response); });
    return answer.value_or(ServerResponse{.status = 0});
  }
  json::object body_of(const ServerResponse& response) { return parse_json(response.body)->get_object(); }

  FakeClock clock;
  FakeJobQueue queue;
  FakeTransport transport;
  WebhookEndpoint endpoint;
};

std::vector<std::string> reasons_in(const json::object& body) {
  std::vector<std::string> reasons;
  for (const auto& item : body.at("ignored").get_array())
    reasons.emplace_back(item.get_object().at("reason").get_string());
  return reasons;
}

TEST(RegistryEndpoint, DetectsEverySender) {
  ASSERT_EQ(vectors().size(), 40u);
  for (const auto& vector : vectors()) {
    const auto request = request_of(vector);
    const auto body = parse_json(request.body);
    const auto detected = detect_sender(request, body ? std::optional(*body) : std::nullopt);
    if (vector.text("/format") == "doco-oci") {
      EXPECT_EQ(detected.kind, Detected::Kind::native) << vector.name;
      continue;
    }
    EXPECT_EQ(detected.kind, Detected::Kind::registry) << vector.name;
    EXPECT_EQ(to_string(detected.format), vector.text("/format")) << vector.name;
  }
}

TEST(RegistryEndpoint, UnderstandsEverySender) {
  for (const auto& vector : vectors()) {
    if (vector.text("/format") == "doco-oci") continue;  // signed natively: not an adapter's
    SCOPED_TRACE(vector.name);
    Bench bench(hook_of(vector));
    const auto response = bench.send(request_of(vector));
    const bool deploys = vector.text("/expect/outcome") == "deploy";
    ASSERT_EQ(bench.queue.jobs.size(), deploys ? 1u : 0u) << response.body;
    EXPECT_TRUE(bench.transport.asked.empty()) << "no URL of a payload is ever followed";  // registry-events 3.8
    if (deploys) {
      const auto& job = bench.queue.jobs[0].second;
      EXPECT_EQ(response.status, 202);
      EXPECT_EQ(job.artifact, vector.text("/expect/artifact"));
      EXPECT_EQ(job.digest ? job.digest->str() : "", vector.text("/expect/digest"));
      continue;
    }
    EXPECT_TRUE(bench.queue.records.empty()) << "what is ignored leaves no run";
    const auto reason = vector.text("/expect/reason");
    if (const auto* wanted = vector.at("/expect/response")) {
      EXPECT_EQ(response.status, wanted->get_object().at("status").to_number<int>());
      if (const auto* body = wanted->get_object().if_contains("body")) {
        EXPECT_EQ(json::serialize(bench.body_of(response)), json::serialize(*body));
      }
      if (const auto* headers = wanted->get_object().if_contains("headers"))
        for (const auto& header : headers->get_object()) {
          const auto is_it = [&](const HttpHeader& each) {
            return each.name == header.key() && each.value == header.value().get_string();
          };
          EXPECT_TRUE(std::any_of(response.headers.begin(), response.headers.end(), is_it)) << header.key();
        }
      continue;
    }
    EXPECT_EQ(response.status, reason == "ping" ? 200 : 202);
    const auto body = bench.body_of(response);
    EXPECT_EQ(text_of(body, "content"), "ignored: " + reason);
    if (const auto* ignored = vector.at("/expect/ignored")) {
      EXPECT_EQ(reasons_in(body), json::value_to<std::vector<std::string>>(*ignored));
    }
  }
}

// Every sender's credential, with one byte changed somewhere.
TEST(RegistryEndpoint, BelievesNobodyElse) {
  for (const auto& vector : vectors()) {
    if (vector.text("/format") == "doco-oci") continue;
    SCOPED_TRACE(vector.name);
    const auto scheme = vector.text("/auth/scheme");
    const auto good = request_of(vector);
    std::vector<ServerRequest> forged;
    if (scheme.starts_with("hmac")) {
      forged.push_back(good);
      forged.back().body.insert(1, " ");
    }
    if (scheme == "query-token") {
      forged.push_back(good);
      forged.back().query = "token=s3cr3t-url-token-0f3b";
      forged.push_back(good);
      forged.back().query.clear();
    } else {
      for (const auto* value : {"sha256=", "x", "Bearer ", "0000", ""}) {
        forged.push_back(good);
        for (auto& header : forged.back().headers)
          if (header.name == vector.text("/auth/header") || header.name == "X-Gitea-Signature") header.value = value;
      }
    }
    const bool is_greeting = vector.text("/expect/reason") == "ping" && scheme.starts_with("hmac");
    for (const auto& request : forged) {
      Bench bench(hook_of(vector));
      const auto response = bench.send(request);
      const bool is_unsigned = is_greeting && request.header("X-Hub-Signature-256").empty();
      EXPECT_EQ(response.status, is_unsigned ? 400 : 401) << "GitHub's ping is the native handling's then";
      if (!is_unsigned) {
        EXPECT_EQ(text_of(bench.body_of(response), "error"), "incorrect secret key");
      }
      EXPECT_TRUE(bench.queue.jobs.empty() && bench.queue.records.empty());
    }
  }
}

const Vector& named(const std::string& name) {
  static const auto all = vectors();
  return *std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.name == name; });
}

// JSON takes many times its size in memory.
TEST(RegistryEndpoint, ReadsNoLargeBodiesOfStrangers) {
  constexpr std::size_t kMost = 64 << 10;
  for (const auto& vector : vectors()) {
    SCOPED_TRACE(vector.name);
    auto request = request_of(vector);
    if (request.body.empty()) continue;
    request.body.append(kMost, ' ');  // which a signature does not fit, but any other credential
    const bool is_signed = vector.text("/auth/scheme").starts_with("hmac");
    auto hook = hook_of(vector);
    if (!is_signed) {
      const auto status = Bench(hook).send(request).status;
      EXPECT_TRUE(status == 200 || status == 202) << status;
    }
    hook.secret = Secret("another");
    Bench bench(hook);
    const auto response = bench.send(request);
    EXPECT_EQ(response.status, 401);
    EXPECT_EQ(text_of(bench.body_of(response), "error"), "incorrect secret key");
    EXPECT_TRUE(bench.queue.jobs.empty() && bench.queue.records.empty());
  }
  const auto& vector = named("harbor-push-tag");
  Bench bench(hook_of(vector));
  ServerRequest request{.method = "POST", .path = "/v1/webhook", .body = std::string(kMost, 'x'), .peer = "1.2.3.4:5"};
  EXPECT_EQ(bench.send(request).status, 400) << "no JSON: the native handling looks for a signature";
  request.body += 'x';
  EXPECT_EQ(bench.send(request).status, 401) << "not looked into";
  request.query = "format=harbor-default";
  EXPECT_EQ(bench.send(request).status, 401);
}

// What is signed natively may be as large as ever.
TEST(RegistryEndpoint, LeavesLargeBodiesToTheNativeHandling) {
  Bench bench({hook_of(named("harbor-push-tag"))}, {}, "native");
  ServerRequest request{
      .method = "POST",
      .path = "/v1/webhook",
      .body = fmt::format(R"({{"source":"oci","artifact":"ghcr.io/acme/app:v1","digest":"sha256:{}"}}{})",
                          std::string(64, 'a'), std::string(64 << 10, ' ')),
      .peer = "1.2.3.4:5"};
  const auto mac = HmacSha256(Secret("native")).sign(request.body);
  request.headers = {
      {"X-Doco-OCI-Signature-256", "sha256=" + to_hex({reinterpret_cast<const char*>(mac.data()), mac.size()})}};
  EXPECT_EQ(bench.send(request).status, 202);
  ASSERT_EQ(bench.queue.jobs.size(), 1u);
}

TEST(RegistryEndpoint, ListsWhatBecameOfEachEvent) {  // registry-events 3.12
  const auto& vector = named("distribution-push-tag");
  Bench bench(hook_of(vector));
  auto request = request_of(vector);
  auto body = parse_json(request.body)->get_object();
  auto& events = body["events"].get_array();
  auto other = events[0];
  other.get_object()["action"] = "pull";
  events.push_back(events[0]);  // twice the same counts once
  events.push_back(other);
  request.body = json::serialize(body);
  const auto answer = bench.body_of(bench.send(request));
  ASSERT_EQ(bench.queue.jobs.size(), 1u);
  const auto& id = bench.queue.jobs[0].first;
  EXPECT_EQ(json::serialize(answer),
            R"({"content":"job accepted","job_id":")" + id + R"(","jobs":[{"job_id":")" + id +
                R"(","artifact":"registry.example.com/platform/deploy-config:main","digest":")" +
                vector.text("/expect/digest") + R"("}],"ignored":[{"reason":"action_not_push","detail":"pull"}]})");
}

TEST(RegistryEndpoint, AnswersARepeatWithTheJobThatIsOnItsWay) {  // registry-events 3.10
  const auto& vector = named("harbor-push-tag");
  Bench bench(hook_of(vector));
  const auto first = bench.body_of(bench.send(request_of(vector)));
  const auto again = bench.body_of(bench.send(request_of(vector)));
  EXPECT_EQ(text_of(first, "job_id"), text_of(again, "job_id"));
  EXPECT_EQ(bench.queue.jobs.size(), 1u);
  bench.queue.end_last({.message = "done"});
  const auto later = bench.body_of(bench.send(request_of(vector)));
  EXPECT_NE(text_of(first, "job_id"), text_of(later, "job_id"));
}

TEST(RegistryEndpoint, PromisesARepeatNothingBeforeAJobIsOnDisk) {
  const auto& vector = named("harbor-push-tag");
  Bench bench(hook_of(vector));
  bench.queue.is_slow = true;
  std::vector<ServerResponse> answers;
  for (int i = 0; i < 2; ++i)
    bench.endpoint.handle(request_of(vector), [&](ServerResponse response) { answers.push_back(std::move(response)); });
  EXPECT_TRUE(answers.empty());
  bench.queue.flush();
  ASSERT_EQ(answers.size(), 2u);
  for (const auto& answer : answers) EXPECT_EQ(answer.status, 202);
}

TEST(RegistryEndpoint, NeverFoldsPushesThatNameOnlyATag) {
  const auto& vector = named("dockerhub-push");
  Bench bench(hook_of(vector));
  bench.send(request_of(vector));
  bench.send(request_of(vector));
  EXPECT_EQ(bench.queue.jobs.size(), 2u) << "the second may mean newer content";
}

TEST(RegistryEndpoint, DeploysOnlyWhatTheEntryAllows) {  // registry-events 3.8
  const auto& vector = named("harbor-push-tag");         // harbor.example.com/platform/deploy-config:main
  const std::pair<std::vector<std::string>, bool> rows[] = {
      {{"harbor.example.com/platform/*"}, true},
      {{"Harbor.Example.com/**"}, true},
      {{"harbor.example.com/platform/deploy-config:main"}, true},
      {{"harbor.example.com/platform/deploy-config:v*"}, false},
      {{"harbor.example.com/*"}, false},
      {{"other.example/**", "harbor.example.com/platform/deploy-*"}, true},
      {{}, false},
  };
  for (const auto& [allow, expected] : rows) {
    auto hook = hook_of(vector);
    hook.allow = allow;
    Bench bench(std::move(hook));
    const auto response = bench.send(request_of(vector));
    EXPECT_EQ(response.status, 202);
    EXPECT_EQ(bench.queue.jobs.size(), expected ? 1u : 0u) << (allow.empty() ? "nothing" : allow[0]);
    if (!expected) {
      EXPECT_EQ(text_of(bench.body_of(response), "content"), "ignored: not_allowed");
    }
  }
  for (const auto* allowed : {"docker.io/**", "index.docker.io/**", "Docker.io/*/*"}) {
    auto hook = hook_of(named("dockerhub-push"));
    hook.allow = {allowed};
    Bench hub(std::move(hook));
    hub.send(request_of(named("dockerhub-push")));
    EXPECT_EQ(hub.queue.jobs.size(), 1u) << allowed;
  }
  Bench bench(hook_of(vector), {"other.example/**"});
  bench.send(request_of(vector));
  EXPECT_TRUE(bench.queue.jobs.empty()) << "OCI_ALLOWED_ARTIFACTS holds as well";
}

// A rule for a tag is no rule for whatever digest is written behind it.
TEST(RegistryEndpoint, LetsNoDigestIntoARuleForATag) {
  const std::string digest = "sha256:" + std::string(64, 'a');
  auto hook = hook_of(named("distribution-push-tag"));
  hook.allow = {"registry.example.com/platform/deploy-config:main"};
  Bench bench(hook);
  auto request = request_of(named("distribution-push-tag"));
  auto body = parse_json(request.body)->get_object();
  body["events"].get_array()[0].get_object()["target"].get_object()["tag"] = "main@" + digest;
  request.body = json::serialize(body);
  EXPECT_EQ(reasons_in(bench.body_of(bench.send(request))), std::vector<std::string>{"invalid_reference"});

  const RegistryHook native{.format = RegistryFormat::doco_oci, .secret = Secret("Bearer t"), .allow = hook.allow};
  Bench other(native);
  const auto sent = [&](const std::string& artifact) {
    return reasons_in(other.body_of(other.send({.method = "POST",
                                                .path = "/v1/webhook",
                                                .headers = {{"Authorization", "Bearer t"}},
                                                .body = R"({"source":"oci","artifact":")" + artifact + "\"}",
                                                .peer = "198.51.100.1:4711"})));
  };
  EXPECT_EQ(sent("registry.example.com/platform/deploy-config:main@" + digest),
            std::vector<std::string>{"not_allowed"});
  EXPECT_TRUE(bench.queue.jobs.empty() && other.queue.jobs.empty());
}

TEST(RegistryEndpoint, TakesNoThousandsOfPushesAtOnce) {
  const auto& vector = named("distribution-push-tag");
  Bench bench(hook_of(vector));
  auto request = request_of(vector);
  auto body = parse_json(request.body)->get_object();
  auto& events = body["events"].get_array();
  const auto event = events[0];
  for (int i = 0; i < 1000; ++i) {
    events.push_back(event);
    events.back().get_object()["target"].get_object()["tag"] = "tag-" + std::to_string(i);
  }
  request.body = json::serialize(body);
  const auto response = bench.send(request);
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(text_of(bench.body_of(response), "content"), "a request may hold 1000 different pushes");
  EXPECT_TRUE(bench.queue.jobs.empty());
  events.pop_back();
  request.body = json::serialize(body);
  EXPECT_EQ(bench.send(request).status, 202);
  EXPECT_EQ(bench.queue.jobs.size(), 1000u);
}

TEST(RegistryEndpoint, TakesTheTargetOfThePath) {
  const auto& vector = named("harbor-push-tag");
  Bench bench(hook_of(vector));
  auto request = request_of(vector);
  request.path = "/v1/webhook/prod";
  bench.send(request);
  ASSERT_EQ(bench.queue.jobs.size(), 1u);
  EXPECT_EQ(bench.queue.jobs[0].second.target, "prod");
  request.path = "/v1/webhook/-x";
  EXPECT_EQ(bench.send(request).status, 400);
}

TEST(RegistryEndpoint, TellsTheSenderToRepeatWhatIsNotOnDisk) {
  const auto& vector = named("harbor-push-tag");
  Bench bench(hook_of(vector));
  bench.queue.refusal = JobQueue::Refusal::cannot_persist;
  bench.queue.reason = "disk full";
  const auto response = bench.send(request_of(vector));
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(text_of(bench.body_of(response), "error"), "cannot persist job");
  bench.queue.refusal.reset();
  EXPECT_EQ(bench.send(request_of(vector)).status, 202);
  EXPECT_EQ(bench.queue.jobs.size(), 1u) << "what was refused does not count as on its way";
}

TEST(RegistryEndpoint, PinsTheFormat) {  // registry-events 3.3, last paragraph
  const auto& vector = named("harbor-push-tag");
  Bench bench(std::vector{hook_of(vector), hook_of(named("dockerhub-push"))});
  auto request = request_of(vector);
  request.query = "format=harbor-default";
  EXPECT_EQ(bench.send(request).status, 202);
  request.query = "format=dockerhub&token=s3cr3t-url-token-0f3a";
  EXPECT_EQ(text_of(bench.body_of(bench.send(request)), "error"), "unexpected format");
  request.query = "format=harbour";
  EXPECT_EQ(text_of(bench.body_of(bench.send(request)), "error"), "invalid parameter: format");
}

TEST(RegistryEndpoint, LeavesWhatIsNotConfiguredToTheNativeHandling) {
  const auto& vector = named("harbor-push-tag");
  Bench bench(hook_of(named("dockerhub-push")));
  EXPECT_EQ(bench.send(request_of(vector)).status, 400);  // webhook/R3
  const auto& native = named("native-oci");
  Bench both({hook_of(vector)}, {}, native.text("/auth/secret"));
  EXPECT_EQ(both.send(request_of(native)).status, 202);
  EXPECT_EQ(both.send(request_of(vector)).status, 202);
  EXPECT_EQ(both.queue.jobs.size(), 2u);
}

TEST(RegistryEndpoint, TakesTheNativePayloadWithAToken) {
  RegistryHook hook{.format = RegistryFormat::doco_oci, .secret = Secret("Bearer t"), .allow = {"ghcr.io/**"}};
  Bench bench(hook);
  ServerRequest request{.method = "POST",
                        .path = "/v1/webhook",
                        .headers = {{"Authorization", "Bearer t"}},
                        .body = R"({"source":"oci","artifact":"ghcr.io/acme/app:v1"})",
                        .peer = "1.2.3.4:5"};
  EXPECT_EQ(bench.send(request).status, 202);
  ASSERT_EQ(bench.queue.jobs.size(), 1u);
  EXPECT_EQ(bench.queue.jobs[0].second.artifact, "ghcr.io/acme/app:v1");
  EXPECT_EQ(bench.queue.jobs[0].second.digest, std::nullopt);
}

// registry-events 3.3, 5: the hook of a repository greets with the same event
TEST(RegistryEndpoint, LeavesTheGreetingOfAnotherHookToTheNativeHandling) {
  const auto& vector = named("ghcr-ping");
  auto hook = hook_of(vector);
  hook.secret = Secret("of the packages only");
  Bench bench({hook}, {}, vector.text("/auth/secret"));
  EXPECT_EQ(text_of(bench.body_of(bench.send(request_of(vector))), "error"), "source type not enabled");
  Bench stranger({hook}, {}, "yet another secret");
  EXPECT_EQ(stranger.send(request_of(vector)).status, 401);
}

// registry-events 3.1
TEST(RegistryEndpoint, LooksAtMethodAndSizeFirst) {
  const auto& vector = named("harbor-push-tag");
  Bench bench(hook_of(vector));
  auto request = request_of(vector);
  request.body_fault = BodyFault::too_large;
  EXPECT_EQ(bench.send(request).status, 413);
  request.body_fault = BodyFault::none;
  for (const auto* method : {"GET", "PUT", "OPTIONS", "DELETE"}) {
    request.method = method;
    EXPECT_EQ(bench.send(request).status, 405) << method;
  }
  request.method = "POST";
  request.body.clear();
  EXPECT_EQ(bench.send(request).status, 400);
  EXPECT_TRUE(bench.queue.jobs.empty());
}

// registry-events 3.9
TEST(RegistryEndpoint, LetsNoRegistryWait) {
  const auto& vector = named("harbor-push-tag");
  Bench bench(hook_of(vector));
  auto request = request_of(vector);
  request.query = "wait=true";
  EXPECT_EQ(bench.send(request).status, 202);
  EXPECT_EQ(bench.queue.jobs.size(), 1u);
}

// registry-events 4.10
TEST(RegistryEndpoint, ShakesHandsWithEventGridOnly) {
  const auto& vector = named("acr-eventgrid-options-handshake");
  Bench bench(hook_of(vector));
  auto request = request_of(vector);
  for (auto& header : request.headers)
    if (header.name == "WebHook-Request-Origin") header.value = "evil.example";
  const auto response = bench.send(request);
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(text_of(bench.body_of(response), "error"), "unknown origin");
}

// registry-events 4.12, class C
TEST(RegistryEndpoint, BelievesWhatGoogleSigned) {
  const GoogleSigner signer;
  const auto keys = fs::temp_directory_path() / ("windlass-google-keys-" + new_uuid_v7());
  std::ofstream(keys) << signer.key_set("k1");
  const auto& vector = named("gar-insert-tag");
  auto hook = hook_of(vector);
  hook.secret = {};
  hook.audience = "https://deploy.example/v1/webhook";
  hook.service_account = "pusher@project.iam.gserviceaccount.com";
  hook.jwks_file = keys;
  Bench bench(hook);
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(bench.clock.now().time_since_epoch()).count();
  json::object claims{{"aud", hook.audience},
                      {"iss", "accounts.google.com"},
                      {"email", hook.service_account},
                      {"email_verified", true},
                      {"iat", now},
                      {"exp", now + 60}};
  const auto send = [&](const std::string& authorization) {
    auto request = request_of(vector);
    std::erase_if(request.headers, [](const HttpHeader& header) { return header.name == "Authorization"; });
    if (!authorization.empty()) request.headers.push_back({"Authorization", authorization});
    return bench.send(request).status;
  };
  EXPECT_EQ(send("Bearer " + signer.token("k1", claims)), 202);
  EXPECT_EQ(send("bearer " + signer.token("k1", claims)), 202);
  EXPECT_EQ(send(signer.token("k1", claims)), 401);
  EXPECT_EQ(send(""), 401) << "the token of the URL is no way in";
  claims["email"] = "other@project.iam.gserviceaccount.com";
  EXPECT_EQ(send("Bearer " + signer.token("k1", claims)), 401);
  fs::remove(keys);
}

// registry-events 3.7, 3.9, 3.12
TEST(RegistryEndpoint, TellsWhyNothingIsDeployed) {
  const auto& vector = named("distribution-envelope-untagged-and-blobs");
  Bench bench(hook_of(vector));
  const auto response = bench.send(request_of(vector));
  EXPECT_EQ(response.status, 202);
  const auto body = bench.body_of(response);
  EXPECT_EQ(text_of(body, "content"), "ignored: no_tag");
  EXPECT_EQ(text_of(body, "job_id").size(), 36u) << "the request's own";
  EXPECT_TRUE(body.at("jobs").get_array().empty());
  EXPECT_EQ(reasons_in(body), (std::vector<std::string>{"no_tag", "not_manifest", "not_manifest"}));
}

TEST(RegistryEndpoint, LetsTheFirstEntryWhoseCredentialFitsDecide) {
  auto first = hook_of(named("harbor-push-tag")), second = first;
  first.secret = Secret("other");
  second.allow = {"harbor.example.com/platform/**"};
  Bench bench(std::vector{first, second});
  bench.send(request_of(named("harbor-push-tag")));
  EXPECT_EQ(bench.queue.jobs.size(), 1u);
}

// Of one push is told several times, and meanwhile the settings may have been read again.
TEST(RegistryEndpoint, KnowsARecentPushThoughItsSendersHaveChanged) {
  const auto vector = named("harbor-push-tag");
  auto hook = hook_of(vector);
  Bench bench(hook);
  EXPECT_EQ(bench.send(request_of(vector)).status, 202);
  bench.endpoint.use(bench.endpoint.gate_for({.registry_hooks = {hook, hook}}));
  EXPECT_EQ(bench.send(request_of(vector)).status, 202);
  EXPECT_EQ(bench.queue.jobs.size(), 1u);
  hook.secret = Secret("another");
  bench.endpoint.use(bench.endpoint.gate_for({.registry_hooks = {hook}}));
  EXPECT_EQ(bench.send(request_of(vector)).status, 401);
}

// The answer is doco-cd's for every sender; where no HMAC is involved, ours would look for one in vain.
TEST(RegistryEndpoint, TellsTheLogWhoseCredentialIsWrong) {
  const auto vector = named("distribution-push-tag");
  auto hook = hook_of(vector);
  hook.secret = Secret("Bearer another");
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  FakeClock clock;
  FakeJobQueue queue;
  FakeTransport transport;
  WebhookEndpoint endpoint({.senders = {.registry_hooks = {hook}}}, queue, transport, clock,
                           Log({.file_descriptor = pipe_ends[1]}));
  std::string answer;
  endpoint.handle(request_of(vector), [&](ServerResponse response) { answer = response.body; });
  ::close(pipe_ends[1]);
  std::string log(4096, '\0');
  log.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::read(pipe_ends[0], log.data(), log.size()))));
  ::close(pipe_ends[0]);
  EXPECT_NE(answer.find("HMAC verification failed"), answer.npos) << answer;
  EXPECT_NE(log.find("the signature or credential in the request is that of no entry with the format distribution in "
                     "REGISTRY_WEBHOOKS"),
            log.npos)
      << log;
  EXPECT_EQ(log.find("another"), log.npos);
}

TEST(RegistryEndpoint, RefusesABodyThatIsNoJson) {
  auto request = request_of(named("gitea-package-created"));
  auto hook = hook_of(named("gitea-package-created"));
  request.body = "payload={}";
  const auto mac = HmacSha256(hook.secret).sign(request.body);
  for (auto& header : request.headers)
    if (header.name == "X-Gitea-Signature")
      header.value = to_hex({reinterpret_cast<const char*>(mac.data()), mac.size()});
  Bench bench(std::move(hook));
  EXPECT_EQ(bench.send(request).status, 400);
  EXPECT_EQ(bench.queue.records.size(), 1u);
}

// registry-events 4.5, 4.8: forms. GitHub signs the form, Gitea the JSON in it.
TEST(RegistryEndpoint, ReadsNoForms) {
  const auto github = named("ghcr-package-published");
  auto request = request_of(github);
  request.body = "payload=%7B%7D";
  const auto mac = HmacSha256(Secret(github.text("/auth/secret"))).sign(request.body);
  for (auto& header : request.headers)
    if (header.name == "X-Hub-Signature-256")
      header.value = "sha256=" + to_hex({reinterpret_cast<const char*>(mac.data()), mac.size()});
  Bench bench(hook_of(github));
  EXPECT_EQ(bench.send(request).status, 400);
  const auto& gitea = named("gitea-package-created");
  request = request_of(gitea);
  request.body = "payload=" + request.body;
  EXPECT_EQ(Bench(hook_of(gitea)).send(request).status, 401);
}

TEST(RegistryEndpoint, PlacesRepositoriesOfJFrog) {
  const auto& vector = named("jfrog-pushed");
  const struct {
    RegistryHook hook;
    std::string artifact;
  } rows[] = {
      {{.docker_access = DockerAccess::subdomain}, "docker-local.example.jfrog.io/platform/deploy-config:main"},
      {{.registry_host = "r.example"}, "r.example/docker-local/platform/deploy-config:main"},
      {{.repositories = {{"docker-local", "docker.example:8081"}}}, "docker.example:8081/platform/deploy-config:main"},
      {{.repositories = {{"docker-local", "r.example/virtual"}}}, "r.example/virtual/platform/deploy-config:main"},
  };
  for (const auto& row : rows) {
    auto hook = row.hook;
    hook.format = RegistryFormat::jfrog;
    hook.secret = Secret(vector.text("/auth/secret"));
    hook.allow = {"**"};
    Bench bench(std::move(hook));
    bench.send(request_of(vector));
    ASSERT_EQ(bench.queue.jobs.size(), 1u);
    EXPECT_EQ(bench.queue.jobs[0].second.artifact, row.artifact);
  }
}

TEST(RegistryEndpoint, ReadsSeveralTagsOfQuay) {
  const auto& vector = named("quay-push");
  Bench bench(hook_of(vector));
  auto request = request_of(vector);
  auto body = parse_json(request.body)->get_object();
  body["updated_tags"] = json::array{"one", "two", "sha256-" + std::string(64, 'a') + ".sig"};
  request.body = json::serialize(body);
  const auto answer = bench.body_of(bench.send(request));
  EXPECT_EQ(bench.queue.jobs.size(), 2u);
  EXPECT_EQ(reasons_in(answer), std::vector<std::string>{"accessory_tag"});
}

}  // namespace
}  // namespace windlass
