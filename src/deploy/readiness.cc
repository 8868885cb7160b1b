#include "deploy/readiness.h"

#include <fmt/format.h>

#include "base/text.h"

namespace windlass {
namespace {

constexpr std::size_t kForeignBytesMax = 1024;
constexpr std::size_t kCheckBytesMax = 256;  // of a check that may still succeed: several services are told at once

using State = Readiness::State;

Readiness failed(std::string reason) { return {State::failed, std::move(reason)}; }

// A text that the engine or a health check wrote, as an end of a sentence.
std::string because(std::string_view text) {
  text = trim(text);
  return text.empty() ? std::string() : ": " + printable(text, kForeignBytesMax);
}

bool is_restarted_always(const ContainerDetail& container) {
  return container.restart_policy == "always" || container.restart_policy == "unless-stopped";
}

// What a check printed last: tools print how far they are before they say what is wrong.
std::string last_line(std::string_view text) {
  text = trim(text);
  return printable(trim(text.substr(text.find_last_of("\r\n") + 1)), kCheckBytesMax);
}

// `exit 1: "connection refused"`
std::string told_by(const HealthChecks& checks) {
  const auto output = last_line(checks.output);
  const auto quoted = output.empty() ? std::string() : fmt::format("\"{}\"", output);
  if (*checks.exit_code < 0) return quoted.empty() ? "it could not run" : quoted;
  return fmt::format("exit {}{}{}", *checks.exit_code, quoted.empty() ? "" : ": ", quoted);
}

std::string still_starting(const HealthChecks& checks) {
  if (!checks.exit_code || *checks.exit_code == 0) return "still starting, no health check has ended yet";
  const auto tries =
      checks.failures > 0 ? fmt::format(", {} of {} tries", checks.failures, checks.retries) : " in its start period";
  return fmt::format("health check failing{} ({})", tries, told_by(checks));
}

Readiness judge_running(const ContainerDetail& container) {
  switch (container.health) {
    case Health::none:
      return {State::steadying, "started only just now"};
    case Health::starting:
      return {State::waiting, still_starting(container.checks)};
    case Health::healthy:
      return {State::ready, {}};
    case Health::unhealthy:
      return {State::failed, "is unhealthy" + because(container.checks.output), true};
  }
  return {};
}

Readiness judge_exited(const ContainerDetail& container) {
  if (container.oom_killed) return failed(fmt::format("ran out of memory, exit code {}", container.exit_code));
  if (container.exit_code == 0 && !is_restarted_always(container)) return {State::ready, {}};
  return failed(fmt::format("exited with code {}{}", container.exit_code, because(container.error)));
}

}  // namespace

Readiness judge(const ContainerDetail& container, const ContainerPast& past) {
  if (container.state == "restarting" || past.restarted) {
    auto code = past.last_exit_code;
    if (!code && container.state == "restarting") code = container.exit_code;  // one that runs again says 0
    return failed(fmt::format("keeps restarting{}{}", code ? fmt::format(", exit code {}", *code) : "",
                              container.oom_killed ? " (out of memory)" : ""));
  }
  if (container.state == "running") return judge_running(container);
  if (container.state == "exited") return judge_exited(container);
  if (container.state == "dead") return failed("is dead" + because(container.error));
  if (container.state == "created" && !container.error.empty())
    return failed("could not be started" + because(container.error));
  if (container.state == "created") return {State::waiting, "not started yet"};
  return {State::waiting,
          printable(container.state, kForeignBytesMax)};  // paused, removing: something else is on its way
}

}  // namespace windlass
