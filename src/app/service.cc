#include "app/service.h"

#include <unistd.h>

#include <atomic>
#include <thread>

#include "api/endpoint.h"
#include "app/deployer.h"
#include "app/engine_access.h"
#include "app/listeners.h"
#include "app/notifications.h"
#include "app/observers.h"
#include "app/reloader.h"
#include "app/routes.h"
#include "app/secret_masks.h"
#include "app/service_metrics.h"
#include "app/signals.h"
#include "app/start_checks.h"
#include "app/state_folder.h"
#include "base/recover.h"
#include "jobs/queue.h"
#include "jobs/run_phases.h"
#include "poll/poller.h"
#include "reconcile/reconciler.h"
#include "sys/curl_transport.h"
#include "sys/http_server.h"
#include "sys/memory.h"
#include "webhook/endpoint.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

constexpr auto kServerGrace = 10s;  // for open requests (api/Z1)
constexpr auto kNotifyGrace = 5s;   // for messages that wait: what the receiver does not take is told by the next start
constexpr auto kCheckTimeout = 20s;

// api 5: which of the three kinds of routes are there.
std::string enabled_endpoints(const Settings& settings) {
  std::string text = "health";
  if (!settings.webhook_secret.empty() || !settings.registry_hooks.empty()) text += ",webhook";
  if (!settings.api_secret.empty()) text += ",api";
  return text;
}

class RunningService final : public Service {
 public:
  RunningService(Settings settings, Environment environment, StateFolder state, Log log)
      : settings_(std::move(settings)),
        environment_(std::move(environment)),
        state_(std::move(state)),
        log_(std::move(log)),
        metrics_(settings_.log_level, clock_.now()) {
    observers_.add(metrics_);
    observers_.add(phases_);
  }

  Status open();
  int run() override;

 private:
  void bring_jobs_to_life();
  Status rebuild_state();
  Status listen();
  JobOutcome run_job(const Job& job, const JobProgress& progress, const Deadline& deadline);
  void stop(int exit_code);

  const Settings settings_;  // those of the start; of what may be read again, the reloader knows
  const Environment environment_;
  const StateFolder state_;
  const Log log_;
  const SystemClock clock_;
  ServiceMetrics metrics_;
  RunPhases phases_;
  CurlTransport transport_;
  Observers observers_;
  std::unique_ptr<Notifier> notifier_;  // null: nobody is told
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Deployer> deployer_;
  std::unique_ptr<RestartLog> restarts_;
  std::unique_ptr<Poller> poller_;  // the queue calls them back until it is gone itself
  std::unique_ptr<Reconciler> reconciler_;
  std::unique_ptr<JobQueue> queue_;
  std::unique_ptr<WebhookEndpoint> webhook_;
  std::unique_ptr<ApiEndpoint> api_;
  std::unique_ptr<Routes> routes_;
  Listeners listeners_;
  std::unique_ptr<Reloader> reloader_;
  std::atomic<int> exit_code_ = 0;
  std::atomic<bool> stopping_ = false;
};

Status RunningService::open() {
  auto engine = make_engine(engine_options(settings_), transport_);
  if (!engine) return tl::unexpected(engine.error());
  engine_ = std::move(*engine);
  auto queue = JobQueue::open({.state_file = state_.state_file(),
                               .job_timeout = settings_.job_timeout,
                               .observer = &observers_,
                               .phases = &phases_},
                              clock_, log_);
  if (!queue) return tl::unexpected(queue.error());
  queue_ = std::move(*queue);
  auto notifier = open_notifier(settings_.notifications, {.state = state_,
                                                          .queue = *queue_,
                                                          .transport = transport_,
                                                          .clock = clock_,
                                                          .observer = observers_,
                                                          .log = log_});
  if (!notifier) return tl::unexpected(notifier.error());
  notifier_ = *std::move(notifier);
  if (notifier_) observers_.add(*notifier_);
  auto deployer = Deployer::make({.settings = settings_,
                                  .environment = environment_,
                                  .state = state_,
                                  .clock = clock_,
                                  .transport = transport_,
                                  .engine = *engine_,
                                  .observer = observers_,
                                  .log = log_});
  if (!deployer) return tl::unexpected(deployer.error());
  deployer_ = std::move(*deployer);

  webhook_ = std::make_unique<WebhookEndpoint>(
      WebhookEndpoint::Options{.senders = {.secret = settings_.webhook_secret,
                                           .previous = settings_.webhook_secret_previous,
                                           .registry_hooks = settings_.registry_hooks},
                               .allowed_artifacts = settings_.oci_allowed_artifacts,
                               .trusted_proxies = settings_.trusted_proxy_networks,
                               .trusted_header = settings_.trusted_proxy_header,
                               .observer = &observers_},
      *queue_, transport_, clock_, log_);
  api_ = std::make_unique<ApiEndpoint>(ApiEndpoint::Options{.secret = settings_.api_secret,
                                                            .docker_host_set = !settings_.docker_host.empty(),
                                                            .config_strict = settings_.config_strict,
                                                            .trusted_proxies = settings_.trusted_proxy_networks,
                                                            .trusted_header = settings_.trusted_proxy_header},
                                       *queue_, *deployer_, *engine_, clock_, log_);
  poller_ = std::make_unique<Poller>(
      Poller::Options{.observer = &observers_}, settings_.polls,
      Poller::Questions{
          .look = [this](const JobRequest& request, const std::optional<Sighting>& last,
                         const Deadline& deadline) { return deployer_->look(request, last, deadline); },
          .settled_because =
              [this](const JobRequest& request, const Digest& digest, const Deadline& deadline) {
                return deployer_->settled_because(request, digest, deadline);
              },
          .to_repair = [this](const JobRequest& request,
                              const Deadline& deadline) { return deployer_->to_repair(request, deadline); }},
      *queue_, clock_, log_);
  auto db = Db::open(state_.state_file());
  if (!db) return tl::unexpected(db.error());
  auto restarts = RestartLog::open(*std::move(db), clock_.now());
  if (!restarts) return tl::unexpected(restarts.error());
  restarts_ = *std::move(restarts);
  reconciler_ = std::make_unique<Reconciler>(
      Reconciler::Options{.observer = &observers_, .instance = settings_.instance_id}, deployer_->engines(),
      deployer_->release_store(), deployer_->stack_locks(), *restarts_, *queue_, clock_, log_);
  routes_ = std::make_unique<Routes>(*webhook_, *api_);
  return listen();
}

Status RunningService::listen() {
  auto tls = tls_identity_of(settings_);
  if (!tls) return tl::unexpected(tls.error());
  auto listeners = Listeners::open(
      settings_, *tls,
      [this](ServerRequest request, Responder answer) { routes_->handle(std::move(request), std::move(answer)); },
      [this](ServerRequest request, Responder answer) {
        answer(metrics_answer(request, [this] { return metrics_.page(queue_->load(), engine_->ping().has_value()); }));
      },
      log_);
  if (!listeners) return tl::unexpected(listeners.error());
  listeners_ = *std::move(listeners);
  reloader_ = std::make_unique<Reloader>(Reloader::Parts{.environment = environment_,
                                                         .deployer = *deployer_,
                                                         .poller = *poller_,
                                                         .notifier = notifier_.get(),
                                                         .webhook = *webhook_,
                                                         .api = *api_,
                                                         .listeners = listeners_,
                                                         .log = log_},
                                         settings_, *std::move(tls));
  return {};
}

int RunningService::run() {
  log_.info("listening for events", {{"http_port", listeners_.service->port()},
                                     {"protocol", settings_.http_tls_cert_file.empty() ? "http" : "https"},
                                     {"enabled_endpoints", enabled_endpoints(settings_)}});
  log_.info("serving prometheus metrics", {{"http_port", listeners_.metrics->port()}, {"path", "/metrics"}});
  for (const auto& complaint : transport_.complaints())
    log_.warning("not all trusted roots could be read", {{"error", complaint}});
  if (settings_.webhook_secret.empty() && settings_.registry_hooks.empty())
    log_.warning("webhook endpoints are disabled: neither WEBHOOK_SECRET nor WEBHOOK_SECRET_FILE is set");
  if (notifier_) notifier_->start();
  // Webhooks are accepted from here on; jobs wait until the engine has been asked.
  std::jthread starter([this] {
    if (!recovered(log_, "start", [this] { bring_jobs_to_life(); })) stop(1);
  });
  const Signals signals({.stop = [this] { stop(0); }, .reload = [this] { reloader_->ask(); }}, log_);
  std::jthread metrics([this] { listeners_.metrics->run(); });
  listeners_.service->run();
  log_.info("server shutdown gracefully");
  starter.join();
  reloader_->stop();
  deployer_->give_up_plans();
  poller_->stop();
  reconciler_->stop();
  log_.info("Waiting for ongoing jobs to finish");
  const auto grace = deployer_->is_handing_over() ? std::min<std::chrono::milliseconds>(settings_.shutdown_grace, 1s)
                                                  : settings_.shutdown_grace;
  const bool has_ended = queue_->stop(grace);
  listeners_.metrics->stop(0s);
  if (notifier_) notifier_->stop(std::min<std::chrono::milliseconds>(settings_.shutdown_grace, kNotifyGrace));
  if (exit_code_ == 0)
    log_.info("application stopped normally");
  else
    log_.critical("application stopped with error");
  if (!has_ended) ::_exit(exit_code_);  // a job that is deep in the kernel: all it has promised is on disk
  return exit_code_;
}

void RunningService::bring_jobs_to_life() {
  auto ready = deployer_->check(Deadline::in(kCheckTimeout));
  if (ready) ready = rebuild_state();
  if (ready) ready = deployer_->arrive(Deadline::in(kCheckTimeout));
  if (!ready) {
    log_.critical("start failed", {{"error", ready.error().message}});
    return stop(1);
  }
  queue_->start([this](const Job& job, const JobProgress& progress, const Deadline& deadline) {
    return run_job(job, progress, deadline);
  });
  release_start_memory();
  if (stopping_) return;
  poller_->start();  // after the jobs of the last life (api 9)
  reconciler_->start();
  reloader_->start();
}

// Before the first job: what is deployed must be known by then.
Status RunningService::rebuild_state() {
  if (!state_.awaits_rebuild()) return {};
  if (auto rebuilt = deployer_->rebuild_state(Deadline::in(kCheckTimeout)); !rebuilt) return rebuilt;
  return state_.end_rebuild();
}

// Whoever ends a job writes the line (webhook/L3).
JobOutcome RunningService::run_job(const Job& job, const JobProgress& progress, const Deadline& deadline) {
  const auto started = clock_.steady_now();
  auto outcome = deployer_->run(job, progress.revision, deadline);
  if (outcome.status == RunStatus::failed) outcome.message += poller_->what_comes_next(job.id, deadline);
  reconciler_->follow();
  const auto log = log_.with(
      {{"job_id", job.id},
       {"artifact", job.request.artifact},
       {"target", job.request.target},
       {"elapsed_time", to_go_duration(std::chrono::round<std::chrono::milliseconds>(clock_.steady_now() - started))}});
  switch (outcome.status) {
    case RunStatus::succeeded:
      log.info("job completed successfully");
      break;
    case RunStatus::skipped:
      log.info("job skipped", {{"reason", outcome.message}});
      break;
    default:
      log.error("job failed", {{"error", outcome.run_message()}});
      break;
  }
  return outcome;
}

void RunningService::stop(int exit_code) {
  if (stopping_.exchange(true)) return;
  exit_code_ = exit_code;
  listeners_.service->stop(kServerGrace);
}

}  // namespace

Result<std::unique_ptr<Service>> Service::make(Settings settings, Environment environment, bool rebuild_state,
                                               Log log) {
  log.info("starting application", {{"version", WINDLASS_VERSION}, {"log_level", to_string(settings.log_level)}});
  for (const auto& warning : settings.warnings) log.warning("settings", {{"warning", warning}});
  mask_secrets(settings, log);
  auto state = StateFolder::open(settings.data_mount_path);
  if (!state) return tl::unexpected(state.error());
  if (const auto reason = state->lost_log(); !reason.empty())
    log.error("the write-ahead log of the state file is lost: the last jobs and releases may be missing",
              {{"file", state->state_file().string() + "-wal"}, {"reason", reason}});
  if (rebuild_state)
    if (auto aside = state->set_damaged_aside(log); !aside) return tl::unexpected(aside.error());
  Signals::block();
  auto service = std::make_unique<RunningService>(std::move(settings), std::move(environment), std::move(*state), log);
  if (auto opened = service->open(); !opened) return tl::unexpected(opened.error());
  return std::unique_ptr<Service>(std::move(service));
}

}  // namespace windlass
