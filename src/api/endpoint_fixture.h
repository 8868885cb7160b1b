// For tests of the API: the endpoint with everything behind it in memory.
#pragma once

#include <gtest/gtest.h>

#include <future>
#include <new>
#include <string>
#include <vector>

#include "api/endpoint.h"
#include "docker/idle_engine.h"
#include "jobs/fake_queue.h"
#include "sys/json.h"

namespace windlass {

using namespace std::chrono_literals;

// An engine that only knows whether it is there.
struct PingedEngine final : IdleEngine {
  std::string fault;  // empty: it answers
  bool throws = false;
  std::atomic<int> pings = 0;

  Status ping() override {
    ++pings;
    if (throws) throw std::bad_alloc();
    if (!fault.empty()) return fail(Kind::unavailable, fault);
    return {};
  }
};

// Releases in memory.
struct FakeArchive final : ReleaseArchive {
  std::vector<Release> kept;
  std::string fault;  // of rollback_to(); "": it may come back
  std::string asked;  // of the last releases(): "stack limit", and " on context"

  Result<std::vector<Release>> releases(const ReleaseFilter& filter, std::size_t limit) override {
    asked = filter.stack + " " + std::to_string(limit) + (filter.context ? " on " + *filter.context : "");
    return kept;
  }
  Result<std::optional<Release>> release(const std::string& id) override {
    for (const auto& release : kept)
      if (release.id == id) return std::optional(release);
    return std::optional<Release>();
  }
  Result<PlanReport> planned = PlanReport{};
  JobRequest planned_for;
  std::string planned_archive;
  Result<PlanReport> plan(const JobRequest& request, const std::string& archive) override {
    planned_for = request;
    planned_archive = archive;
    return planned;
  }
  Result<JobRequest> rollback_to(const Release& release) override {
    if (!fault.empty()) return fail(Kind::conflict, fault);
    return release.request;
  }
};

struct Bench {
  explicit Bench(std::string secret = "api-secret", bool docker_host_set = false,
                 std::vector<std::string> trusted_proxies = {})
      : endpoint({.secret = Secret(std::move(secret)),
                  .docker_host_set = docker_host_set,
                  .trusted_proxies = std::move(trusted_proxies)},
                 queue, archive, engine, clock, Log({.level = LogLevel::critical})) {}

  ServerResponse send(ServerRequest request) {
    std::promise<ServerResponse> answered;
    endpoint.handle(std::move(request), [&](ServerResponse response) { answered.set_value(std::move(response)); });
    return answered.get_future().get();
  }
  ServerResponse get(std::string path, std::string query = "", std::string key = "api-secret") {
    return send({.method = "GET",
                 .path = std::move(path),
                 .query = std::move(query),
                 .headers = {{"x-api-key", std::move(key)}},
                 .peer = "198.51.100.1:4711"});
  }

  FakeClock clock;
  FakeJobQueue queue;
  FakeArchive archive;
  PingedEngine engine;
  ApiEndpoint endpoint;
};

// Status and body without the id of the request; the form is checked on the way (api/B5 to B7).
inline std::string told(const ServerResponse& response) {
  EXPECT_EQ(response.content_type, "application/json; charset=utf-8");
  EXPECT_EQ(response.headers.at(0).name + ": " + response.headers.at(0).value, "X-Content-Type-Options: nosniff");
  EXPECT_TRUE(response.body.ends_with("}\n"));
  auto parsed = parse_json(response.body);
  if (!parsed) return parsed.error().message;
  auto& object = parsed->as_object();
  EXPECT_EQ(text_of(object, "job_id").size(), 36u);
  object.erase("job_id");
  return std::to_string(response.status) + " " + json::serialize(object);
}

}  // namespace windlass
