#include "metrics/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <vector>

#include "metrics/metrics.h"

namespace windlass {
namespace {

using Type = Metric::Type;

std::string gauge(Type type, const char* name, const char* help, double value) {
  Metric metric(type, name, help);
  metric.set({}, value);
  return metric.text();
}

// The fields of proc_pid_stat(5) from the third on: the second is a name and may hold anything.
std::vector<std::string> own_stat() {
  std::ifstream file("/proc/self/stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto end = text.rfind(')');
  if (end == std::string::npos) return {};
  std::istringstream words(text.substr(end + 1));
  return {std::istream_iterator<std::string>(words), {}};
}

std::optional<double> boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string name, rest; file >> name && std::getline(file, rest);)
    if (name == "btime") return std::stod(rest);
  return std::nullopt;
}

}  // namespace

std::string process_metrics() {
  constexpr std::size_t kUser = 11, kSystem = 12, kThreads = 17, kStart = 19, kVirtual = 20, kResident = 21;
  std::string text;
  const double ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  if (const auto stat = own_stat(); stat.size() > kResident) {
    const auto number = [&](std::size_t field) { return std::stod(stat[field]); };
    text += gauge(Type::counter, "process_cpu_seconds_total", "Processor time of the process, user and system.",
                  (number(kUser) + number(kSystem)) / ticks);
    text += gauge(Type::gauge, "process_resident_memory_bytes", "Memory of the process that is resident.",
                  number(kResident) * static_cast<double>(::sysconf(_SC_PAGESIZE)));
    text += gauge(Type::gauge, "process_virtual_memory_bytes", "Address space of the process.", number(kVirtual));
    text += gauge(Type::gauge, "process_threads", "Threads of the process.", number(kThreads));
    if (const auto booted = boot_time())
      text += gauge(Type::gauge, "process_start_time_seconds", "Start of the process, since the epoch.",
                    *booted + number(kStart) / ticks);
  }
  std::error_code error;
  const std::filesystem::directory_iterator open("/proc/self/fd", error);
  if (!error)
    text += gauge(Type::gauge, "process_open_fds", "Open file descriptors.",
                  static_cast<double>(std::distance(begin(open), end(open))));
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0)
    text += gauge(Type::gauge, "process_max_fds", "File descriptors that may be open.",
                  static_cast<double>(limit.rlim_cur));
  return text;
}

}  // namespace windlass
