#include "app/take_over.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "app/engine_access.h"
#include "app/host_path.h"
#include "app/secret_masks.h"
#include "app/state_folder.h"
#include "base/clock.h"
#include "base/crash_point.h"
#include "deploy/half_recreated.h"
#include "docker/container_spec.h"
#include "sys/curl_transport.h"
#include "sys/files.h"
#include "sys/process.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

constexpr auto kEngineTimeout = 60s;
constexpr auto kBackTimeout = 3min;  // to bring the old container back
constexpr int kUpTries = 3;
constexpr int kRestartsMax = 5;  // of a new container
constexpr int kLogLines = 10;
constexpr int kTurnsPerLook = 5;  // the word is looked for more often than the containers
constexpr auto kHealthcheckTimeout = 10s;

std::string number_of_container(const ContainerSummary& container) { return container.label(kNumberLabel); }

}  // namespace

Status TakeOver::run(const HandoverOrder& order) {
  const auto ended = handover_.result(order.note);
  if (!ended) return tl::unexpected(ended.error());
  if (*ended) return (*ended)->must_bring_back ? bring_back(order) : Status();  // killed between the word and the deed
  auto done = handover_.is_taken(order.note) && is_replaced(order) ? Status() : bring_up(order);
  crash_point("take_over.up");
  const auto upped = done;
  if (done || is_replaced(order)) done = wait_for_new_process(order);
  const bool somebody_works = done.has_value();
  if (!upped) done = upped;  // by another service: the new process is told
  // The old process, when it comes back, must find this.
  Handover::End end{.must_bring_back = !somebody_works};
  if (!done) end.error = done.error();
  if (auto told = handover_.end(order.note, end); !told) return told;
  crash_point("take_over.told");
  if (!done) log_.error("the stack could not be brought up", {{"error", done.error().message}});
  return somebody_works ? Status() : bring_back(order);
}

// Has compose made our container anew, though not all of the stack?
bool TakeOver::is_replaced(const HandoverOrder& order) {
  const auto containers = own_containers(order, Deadline::in(kEngineTimeout));
  if (!containers) return false;
  const auto is_old = [&](const ContainerSummary& container) { return container.id == order.note.own_container; };
  return std::ranges::none_of(*containers, is_old) &&
         std::ranges::any_of(*containers, [](const auto& container) { return container.state == "running"; });
}

// As deploy/ does it, after which compose may be tried again: here whatever was in the way, for the container that we
// are about to end, or that somebody kills, may go away while compose looks at it.
Status TakeOver::bring_up(const HandoverOrder& order) {
  const auto deadline = Deadline::in(order.up_timeout);
  Status done;
  for (int tries = 0; tries < kUpTries; ++tries) {
    auto containers = engine_.containers({project_filter(order.stack.name)}, deadline);
    if (!containers) return tl::unexpected(containers.error());
    const auto settled = settle_half_recreated(engine_, *containers, deadline);
    if (!settled) return tl::unexpected(settled.error());
    done = driver_.up(order.stack,
                      {.remove_orphans = order.options.remove_orphans, .project_dir = order.options.project_dir},
                      deadline);
    if (done || done.error().kind != Kind::conflict) break;
  }
  return done;
}

Result<std::vector<ContainerSummary>> TakeOver::own_containers(const HandoverOrder& order, const Deadline& deadline) {
  return engine_.containers({project_filter(order.stack.name), service_filter(order.options.own_service)}, deadline);
}

// The word is a file: whatever has the data folder can write it, also something that came in windlass's place. So the
// engine is asked to have the new container say it, by a program that only an image of windlass has.
Status TakeOver::answers(const ContainerSummary& container, const Deadline& deadline) {
  const auto code =
      engine_.execute(container.id, {options_.program, "healthcheck"}, deadline.within(kHealthcheckTimeout));
  if (!code && code.error().kind == Kind::denied) {  // what stands before an engine may not let it through
    log_.warning("the new windlass is believed without a health check", {{"error", code.error().message}});
    return {};
  }
  if (!code) return tl::unexpected(code.error());
  if (*code != 0) return fail(Kind::conflict, fmt::format("exit code {}", *code));
  return {};
}

Status TakeOver::wait_for_new_process(const HandoverOrder& order) {
  const auto deadline = Deadline::in(order.take_timeout);
  std::string seen = "there is none";
  bool was_taken = false;
  for (int turn = 0;; ++turn) {
    const bool is_taken = handover_.is_taken(order.note);
    if (turn % kTurnsPerLook == 0 || is_taken != was_taken)
      if (const auto found = look_for_new_process(order, is_taken, seen, deadline)) return *found;
    was_taken = is_taken;
    if (!pause(options_.look_again, deadline))
      return fail(Kind::conflict,
                  fmt::format("the new windlass did not take over within {}, the one before is brought back: {}",
                              to_go_duration(order.take_timeout), seen));
  }
}

// Nothing: there is none yet; `seen` is what there is.
std::optional<Status> TakeOver::look_for_new_process(const HandoverOrder& order, bool is_taken, std::string& seen,
                                                     const Deadline& deadline) {
  const auto containers = own_containers(order, deadline);
  for (const auto& container : containers.value_or(std::vector<ContainerSummary>())) {
    if (container.id == order.note.own_container && container.state == "running") return Status();  // it stays
    std::string unproven;
    if (is_taken && container.state == "running") {
      const auto answered = answers(container, deadline);
      if (answered) return Status();
      unproven = fmt::format("; {} healthcheck in it: {}", options_.program, answered.error().message);
    }
    const auto detail = engine_.inspect(container.id, deadline);
    if (!detail) continue;
    const auto words = engine_.last_logs(container.id, kLogLines, deadline).value_or("");
    seen =
        fmt::format("container {} is {}, exit code {}, {} restarts{}{}{}", container.name, detail->state,
                    detail->exit_code, detail->restart_count, unproven, words.empty() ? "" : "; last output:\n", words);
    if (detail->state == "exited" || detail->state == "dead" || detail->restart_count >= kRestartsMax)
      return fail(Kind::conflict, "the new windlass does not work, the one before is brought back: " + seen);
  }
  return std::nullopt;
}

Status TakeOver::bring_back(const HandoverOrder& order) {
  const auto deadline = Deadline::in(kBackTimeout);
  for (;;) {
    auto done = make_again(order, deadline);
    if (done) return done;
    log_.error("the container of before could not be brought back", {{"error", done.error().message}});
    if (!pause(options_.try_again, deadline)) return done;
  }
}

// Safe to be cut short and to be repeated.
Status TakeOver::make_again(const HandoverOrder& order, const Deadline& deadline) {
  const auto spec = same_container(order.own);
  if (!spec) return tl::unexpected(spec.error());
  const auto containers = own_containers(order, deadline);
  if (!containers) return tl::unexpected(containers.error());
  const auto is_old = [&](const ContainerSummary& container) { return container.id == order.note.own_container; };
  const auto old = std::ranges::find_if(*containers, is_old);
  std::string number;  // of replicas others stay
  if (const auto* labels = object_of(spec->body, "Labels")) number = std::string(text_of(*labels, kNumberLabel));
  for (const auto& container : *containers)
    if (!is_old(container) && number_of_container(container) == number)
      if (auto gone = engine_.remove(container.id, deadline); !gone && gone.error().kind != Kind::not_found)
        return gone;
  if (old != containers->end()) {
    if (old->name != spec->name)
      if (auto renamed = engine_.rename(old->id, spec->name, deadline); !renamed) return renamed;
    return engine_.start(old->id, deadline);
  }
  const auto made = engine_.create(spec->name, spec->body, deadline);
  if (!made) return tl::unexpected(made.error());
  for (const auto& [network, endpoint] : spec->networks)
    if (auto connected = engine_.connect(network, *made, endpoint, deadline); !connected)
      log_.warning("network is missing", {{"network", network}, {"error", connected.error().message}});
  if (auto started = engine_.start(*made, deadline); !started) return started;
  log_.info("the container of before is back", {{"container", spec->name}});
  return {};
}

int take_over(const Environment& given) {
  auto environment = given;
  const Secret key(environment[kHandoverKeyVariable]);
  environment.erase(kHandoverKeyVariable);
  ::unsetenv(kHandoverKeyVariable);
  const auto settings = readable_settings(environment);
  const Log log(Log::for_standard_error(settings.log_level));
  mask_secrets(settings, log);
  const auto failed = [&](const Error& error) {
    log.critical("helper failed", {{"error", error.message}});
    return 1;
  };
  if (key.empty()) return failed({Kind::invalid, "only windlass itself starts this command"});
  const Handover handover(StateFolder::handover_below(settings.data_mount_path));
  auto order = handover.order(key);
  if (!order) return failed(order.error());
  for (const auto& secret : order->stack.secrets) log.mask(secret);

  CurlTransport transport;
  auto engine = make_engine(engine_options(settings), transport);
  if (!engine) return failed(engine.error());
  if (auto linked = link_host_path(order->host_data_dir, settings.data_mount_path); !linked)
    log.warning("the host's path of the data folder is not there", {{"error", linked.error().message}});
  const auto processes = make_process_runner();
  const auto driver = make_compose_driver(compose_options(settings, environment), *processes, log);

  log.info("bringing up the stack that windlass runs in", {{"stack", order->stack.name}});
  std::error_code unknown;
  const TakeOver::Options options{.program = std::filesystem::read_symlink("/proc/self/exe", unknown).string()};
  if (auto done = TakeOver(options, **engine, *driver, handover, log).run(*order); !done) return failed(done.error());
  log.info("helper is done");
  const auto own = own_container_id(read_file("/proc/self/mountinfo", 16 << 20).value_or(""));
  if (!own.empty()) (void)(*engine)->remove(own, Deadline::in(kEngineTimeout));  // ends this process
  return 0;
}

}  // namespace windlass
