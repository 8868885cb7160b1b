// What the tests of the poller share: sources in memory, and a poller whose turns are taken one by one.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "jobs/fake_queue.h"
#include "poll/poller.h"

namespace windlass {

using namespace std::chrono_literals;

inline const auto kDigest1 = Digest::of_sha256_hex(std::string(64, '1')),
                  kDigest2 = Digest::of_sha256_hex(std::string(64, '2'));

// Sources in memory, by artifact; some hang until they are asked to stop.
struct FakeSource final : Source {
  std::map<std::string, Result<Look>> shows;
  std::vector<std::string> looked;  // artifacts, with "again" where it was told what it saw last
  std::set<std::string> hanging;
  std::mutex mutex;

  Result<Look> look(const JobRequest& request, const std::optional<Sighting>& last, const Deadline& deadline) override {
    std::unique_lock lock(mutex);
    looked.push_back(request.artifact + (last ? " again" : ""));
    if (hanging.contains(request.artifact)) {
      lock.unlock();
      while (!deadline.passed()) std::this_thread::sleep_for(1ms);
      return fail(Kind::unavailable, "timed out");
    }
    return shows.at(request.artifact);
  }
  Result<Settled> settle(const Job&, const LaneHistory&, const Deadline&) override { return Settled{}; }
  Status verify(const Job&, const Digest&, const Deadline&) override { return {}; }
  Status verify_deployment(const Job&, const Digest&, const TrustOverride&, const Deadline&) override { return {}; }
  std::string trust_stamp(const JobRequest&) override { return ""; }
  Result<UnpackedTree> fetch(const Job&, const Digest&, const std::filesystem::path&, const Deadline&) override {
    return UnpackedTree{};
  }
  Result<UnpackedTree> unpack_archive(std::string_view, const std::filesystem::path&, const Deadline&) override {
    return UnpackedTree{};
  }
  Result<std::string> live_path(const Job&) const override { return std::string(); }
  std::size_t count(const std::string& artifact) {
    const std::lock_guard lock(mutex);
    return static_cast<std::size_t>(std::ranges::count(looked, artifact));
  }
};

struct Listener final : Observer {
  std::vector<std::string> heard;
  void poll_held_up(const JobRequest& request, std::string_view error) override {
    heard.push_back(request.artifact + ": " + std::string(error));
  }
  void poll_goes_on(const JobRequest& request) override { heard.push_back(request.artifact + " goes on"); }
};

inline Result<Look> shows(const Digest& digest) { return Look{.seen = Sighting{digest, "etag"}}; }

class PollerTest : public ::testing::Test {
 protected:
  void make(const std::vector<PollConfig>& configs, std::chrono::milliseconds spread = 0ms) {
    poller.emplace(
        Poller::Options{.schedule = {.spread = spread, .random = [] { return 0.5; }}, .observer = &listener}, configs,
        Poller::Questions{.look = [this](const JobRequest& request, const std::optional<Sighting>& last,
                                         const Deadline& deadline) { return source.look(request, last, deadline); },
                          .settled_because = [this](const JobRequest& request, const Digest& digest,
                                                    const Deadline&) -> Result<std::optional<std::string>> {
                            if (state_fault) return tl::unexpected(*state_fault);
                            if (settled[request.artifact] != digest.str()) return std::optional<std::string>();
                            return std::optional<std::string>("no changes");
                          },
                          .to_repair = [this](const JobRequest&, const Deadline&) -> Result<std::optional<Digest>> {
                            return to_repair;
                          }},
        queue, clock, Log({.level = LogLevel::critical}));
  }
  // All that is due now.
  int steps() {
    int count = 0;
    while (poller->step()) ++count;
    return count;
  }
  void end_job(const JobOutcome& outcome) {
    if (outcome.status != RunStatus::failed) settled[queue.jobs.back().second.artifact] = kDigest1.str();
    queue.end_last(outcome);
  }

  FakeClock clock;
  FakeSource source;
  FakeJobQueue queue;
  Listener listener;
  std::optional<Digest> to_repair;
  std::map<std::string, std::string> settled;  // artifact -> digest
  std::optional<Error> state_fault;
  std::optional<Poller> poller;
};

inline const PollConfig kApp{.url = "r.example/app:1", .interval = 60s, .target = "prod"};

}  // namespace windlass
