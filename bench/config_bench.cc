// Reading deploy configurations: many documents in one file, and many folders to be discovered.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "config/deploy_config.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() {
    char name[] = "/tmp/windlass-bench-XXXXXX";
    root = ::mkdtemp(name);
  }
  ~Folder() { fs::remove_all(root); }
  void write(const fs::path& path, const std::string& text) const {
    fs::create_directories((root / path).parent_path());
    std::ofstream(root / path) << text;
  }
  fs::path root;
};

void load(benchmark::State& state, const Folder& folder) {
  std::size_t stacks = 0;
  for (auto _ : state) {
    const auto configs = load_deploy_configs(folder.root, "", {});
    if (!configs) return state.SkipWithError(configs.error().message.c_str());
    stacks = configs->stacks.size();
  }
  state.counters["stacks"] = static_cast<double>(stacks);
}

void documents(benchmark::State& state) {
  Folder folder;
  std::string text;
  for (int i = 0; i < state.range(0); ++i)
    text += fmt::format(
        "---\nname: stack-{}\ncompose_files: [compose.yaml]\nenvironment: {{A: '1', B: two, C: three}}\n"
        "profiles: [web, db]\ntimeout: 60\nrollback: {{keep: 3}}\n",
        i);
  folder.write(".doco-cd.yaml", text);
  load(state, folder);
}
BENCHMARK(documents)->Arg(200)->Unit(benchmark::kMillisecond);

void discovered_folders(benchmark::State& state) {
  Folder folder;
  folder.write(".doco-cd.yaml", "working_dir: apps\nauto_discovery: true\n");
  for (int i = 0; i < state.range(0); ++i) {
    folder.write(fmt::format("apps/a{}/compose.yaml", i), "services: {}\n");
    if (i % 10 == 0) folder.write(fmt::format("apps/a{}/.doco-cd.yaml", i), "timeout: 30\n");
  }
  load(state, folder);
}
BENCHMARK(discovered_folders)->Arg(2000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace windlass

BENCHMARK_MAIN();
