// How many accepts a second the queue makes durable: 64 callers at once, each waiting for its answer, as the webhook's
// connections do. BENCH_DATA names the folder of the state file (default: the current one); it must be on a real disk.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <semaphore>
#include <string>

#include "jobs/queue.h"
#include "sys/crypto.h"

namespace windlass {
namespace {

constexpr int kOutstanding = 64;

JobRequest request_for(int lane) {
  const auto ref = "v" + std::to_string(lane);
  return {.artifact = "registry.example.com/acme/shop:" + ref,
          .source_id = "registry.example.com/acme/shop",
          .repository = "acme/shop",
          .ref = ref,
          .digest = Digest::of_sha256_hex(std::string(64, 'a')),
          .target = "production"};
}

// `lanes` 1: nearly every job replaces the one before it. 64: each lane has a job of its own.
void accept(benchmark::State& state, JobHandler handler) {
  const auto lanes = static_cast<int>(state.range(0));
  const char* data = std::getenv("BENCH_DATA");
  const std::filesystem::path folder = std::filesystem::path(data != nullptr ? data : ".") / "queue_bench.data";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  SystemClock clock;
  auto queue = JobQueue::open({.state_file = folder / "state.db"}, clock, Log({.level = LogLevel::error}));
  if (!queue) return state.SkipWithError(queue.error().message.c_str());
  if (handler) (*queue)->start(std::move(handler));

  std::counting_semaphore<> free(kOutstanding);
  std::int64_t refused = 0;  // of the writer's thread
  int caller = 0;
  for (auto _ : state) {
    free.acquire();
    (*queue)->accept(new_uuid_v7(), request_for(caller++ % lanes), [&](const JobQueue::Accepted& accepted) {
      refused += accepted.refusal.has_value();
      free.release();
    });
  }
  for (int i = 0; i < kOutstanding; ++i) free.acquire();
  (*queue)->stop(std::chrono::seconds(5));
  queue->reset();
  state.SetItemsProcessed(state.iterations());
  state.counters["refused"] = static_cast<double>(refused);
  std::filesystem::remove_all(folder);
}

JobOutcome done_at_once(const Job&, const JobProgress&, const Deadline&) { return {.message = "job completed"}; }

BENCHMARK_CAPTURE(accept, waiting, JobHandler())->Arg(1)->Arg(64)->UseRealTime()->MinTime(3.0);
BENCHMARK_CAPTURE(accept, and_run, JobHandler(done_at_once))->Arg(1)->Arg(64)->UseRealTime()->MinTime(3.0);

}  // namespace
}  // namespace windlass

BENCHMARK_MAIN();
