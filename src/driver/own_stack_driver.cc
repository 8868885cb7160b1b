#include "driver/own_stack_driver.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/crash_point.h"
#include "base/text.h"
#include "docker/container_spec.h"
#include "sys/crypto.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

constexpr int kHelpersMax = 3;      // for one order
constexpr auto kHelperSlack = 90s;  // that it may take besides: to bring the old container back, say
constexpr auto kTakeTimeoutMin = 60s;
constexpr int kLogLines = 10;
constexpr auto kRemoveTimeout = 10s;
constexpr const char* kHelperName = "windlass-helper-";
constexpr const char* kHelperLabel = "cd.windlass.helper";           // the job
constexpr const char* kHelperDataLabel = "cd.windlass.helper.data";  // whose it is: our data folder, on the host

bool is_working(const ContainerSummary& helper) { return helper.state == "running" || helper.state == "restarting"; }

}  // namespace

OwnStackDriver::OwnStackDriver(Options options, std::unique_ptr<Driver> driver, Engine& engine, Handover handover,
                               Log log)
    : options_(std::move(options)),
      driver_(std::move(driver)),
      engine_(engine),
      handover_(std::move(handover)),
      log_(std::move(log)) {}

Status OwnStackDriver::arrive(const Deadline& deadline) {
  const auto note = handover_.note();
  const auto ended = note && *note ? handover_.result(**note) : Result<std::optional<Handover::End>>(std::nullopt);
  // Of an order that nobody waits for; that of a helper would not be taken, and it brings the old container back.
  if (!note || !ended)
    log_.error("what a helper was told is not known", {{"error", (note ? ended.error() : note.error()).message}});
  if (const auto removed = remove_idle_helpers(deadline); !removed)
    log_.warning("old helpers were not removed", {{"error", removed.error().message}});
  if (!note || !*note || !ended) return {};
  if (!*ended && (*note)->own_container != options_.own_container) {
    log_.info("taking over from a container that was made anew", {{"order", (*note)->order}});
    return handover_.take(**note);
  }
  const auto works = is_at_work(**note, deadline);
  if (!works || *works) return {};
  if (auto forgotten = handover_.forget_content(); !forgotten)
    log_.warning("an old order was not removed", {{"error", forgotten.error().message}});
  return {};
}

Status OwnStackDriver::up(const ResolvedStack& stack, const UpOptions& options, const Deadline& deadline) {
  if (options.own_service.empty() || options_.own_container.empty()) return driver_->up(stack, options, deadline);
  const std::lock_guard lock(mutex_);
  const auto last = handover_.note();
  if (!last) return tl::unexpected(last.error());
  HandoverNote note{.order = options.own_order, .own_container = options_.own_container};
  if (*last && (*last)->order == note.order) {
    const auto ended = handover_.result(**last);
    if (!ended) return tl::unexpected(ended.error());
    if (*ended && (told_of_ != (*last)->id() || (*ended)->error)) return end_of(**last, **ended);
    if (!*ended) {
      const auto works = is_at_work(**last, deadline);
      if (!works) return tl::unexpected(works.error());
      if (*works) return wait_for(**last, deadline);
    }
    (void)remove_helper((*last)->helper, deadline);  // one that was killed; its environment holds ours
    if ((*last)->number >= kHelpersMax)
      return fail(Kind::conflict,
                  fmt::format("{} helpers could not bring up the stack that windlass itself runs in", (*last)->number));
    note.number = (*last)->number + 1;
  }
  note.helper = fmt::format("{}{}-{}", kHelperName, note.order.substr(0, note.order.find(' ')), note.number);
  if (auto sent = send_helper(note, stack, options, deadline); !sent) return sent;
  return wait_for(note, deadline);
}

// The order is on disk first: whoever is killed, the other one, or the next of us, knows what goes on.
Status OwnStackDriver::send_helper(const HandoverNote& note, const ResolvedStack& stack, const UpOptions& options,
                                   const Deadline& deadline) {
  auto own = engine_.inspect_json(options_.own_container, deadline);
  if (!own) return while_doing("looking at the own container", own.error());
  const auto job = note.order.substr(0, note.order.find(' '));
  HandoverOrder order{.note = note,
                      .stack = stack,
                      .options = options,
                      .own = std::move(*own),
                      .up_timeout = std::chrono::round<std::chrono::seconds>(deadline.left()),
                      .host_data_dir = host_data_dir_};
  order.take_timeout = std::max<std::chrono::seconds>(order.up_timeout, kTakeTimeoutMin);
  const Secret key(to_hex(random_bytes(32)));
  auto body =
      helper_of(order.own,
                {.command = {options_.program, "take-over"},
                 .environment = {{kHandoverKeyVariable, key.reveal()}},
                 .labels = {{"cd.doco.job.ephemeral", "true"}, {kHelperLabel, job}, {kHelperDataLabel, host_data_dir_}},
                 .needs_network = options_.needs_network});
  if (!body) return tl::unexpected(body.error());
  if (auto given = handover_.give(order, key); !given) return while_doing("giving an order to a helper", given.error());
  crash_point("handover.given");
  if (auto gone = remove_helper(order.note.helper, deadline); !gone)
    return while_doing("removing an old helper", gone.error());
  auto made = engine_.create(order.note.helper, *body, deadline);
  if (!made) return while_doing("making a helper", made.error());
  if (auto started = engine_.start(*made, deadline); !started) {
    (void)engine_.remove(*made, Deadline::in(kRemoveTimeout));
    return while_doing("starting a helper", started.error());
  }
  log_.info("a helper brings up the stack that windlass itself runs in",
            {{"stack", stack.name}, {"service", options.own_service}, {"container", order.note.helper}});
  return {};
}

Status OwnStackDriver::wait_for(const HandoverNote& note, const Deadline& deadline) {
  is_waiting_ = true;
  const auto done = wait_until_done(note, deadline);
  is_waiting_ = false;
  return done;
}

Status OwnStackDriver::wait_until_done(const HandoverNote& note, const Deadline& deadline) {
  auto until = deadline;
  until.at += kHelperSlack;
  for (int turn = 1;; ++turn) {
    auto ended = handover_.result(note);
    if (!ended) return tl::unexpected(ended.error());
    if (*ended) return end_of(note, **ended);
    if (turn % 5 == 0) {
      const auto works = is_at_work(note, until);
      ended = handover_.result(note);  // the last that it does before it goes
      if (ended && *ended) return end_of(note, **ended);
      if (works && !*works) {
        const auto log = engine_.last_logs(note.helper, kLogLines, until);
        (void)remove_helper(note.helper, until);
        return fail(Kind::unavailable,
                    fmt::format("the helper ended before it was done{}", log ? ": " + *log : std::string()));
      }
    }
    if (!pause(options_.look_again, until))
      return fail(Kind::unavailable,
                  deadline.stop.stop_requested() ? "waiting for the helper: stopped" : "the helper has found no end");
  }
}

Status OwnStackDriver::end_of(const HandoverNote& note, const Handover::End& end) {
  told_of_ = note.id();
  (void)remove_helper(note.helper, Deadline::in(kRemoveTimeout));  // should it not have removed itself
  if (auto forgotten = handover_.forget_content(); !forgotten)
    log_.warning("an old order was not removed", {{"error", forgotten.error().message}});
  return end.error ? Status(tl::unexpected(*end.error)) : Status();
}

Result<bool> OwnStackDriver::is_at_work(const HandoverNote& note, const Deadline& deadline) {
  const auto there = helpers(deadline);
  if (!there) return tl::unexpected(there.error());
  return std::ranges::any_of(*there, [&](const auto& one) { return one.name == note.helper && is_working(one); });
}

// The name of a helper is read from a file that others may have written: what is no helper of ours is left alone. A
// service of a stack may have its labels, by its image, but not without being one of a project.
Result<std::vector<ContainerSummary>> OwnStackDriver::helpers(const Deadline& deadline) {
  auto found = engine_.containers({kHelperLabel, fmt::format("{}={}", kHelperDataLabel, host_data_dir_)}, deadline);
  if (!found) return found;
  std::erase_if(*found, [](const ContainerSummary& container) {
    return !container.name.starts_with(kHelperName) || !container.label(kProjectLabel).empty();
  });
  return found;
}

Status OwnStackDriver::remove_helper(const std::string& name, const Deadline& deadline) {
  return remove_helpers([&](const ContainerSummary& helper) { return helper.name == name; }, deadline);
}

// One that has done its work has removed itself; one that was killed, or never started, has not.
Status OwnStackDriver::remove_idle_helpers(const Deadline& deadline) {
  return remove_helpers([](const ContainerSummary& helper) { return !is_working(helper); }, deadline);
}

Status OwnStackDriver::remove_helpers(const std::function<bool(const ContainerSummary&)>& which,
                                      const Deadline& deadline) {
  const auto there = helpers(deadline);
  if (!there) return tl::unexpected(there.error());
  Status done;
  for (const auto& helper : *there)
    if (which(helper))
      if (auto gone = engine_.remove(helper.id, deadline); !gone && gone.error().kind != Kind::not_found)
        done = std::move(gone);
  return done;
}

}  // namespace windlass
