#include <fmt/format.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "app/service.h"
#include "app/start_checks.h"
#include "app/take_over.h"
#include "cli/command_line.h"
#include "cli/healthcheck.h"
#include "cli/verify_bundle.h"
#include "config/settings.h"
#include "sops/decryptor.h"
#include "sys/curl_transport.h"
#include "sys/memory.h"
#include "sys/process.h"

namespace windlass {
namespace {

int serve(const ServeCommand& command) {
  const auto environment = process_environment();
  const auto processes = make_process_runner();
  const sops::Decryptor decryptor(environment, *processes);
  auto settings = read_settings(environment, setting_checks(decryptor));
  if (!settings) {
    const Log log(Log::for_standard_error(LogLevel::debug));
    for (const auto& fault : settings.error().faults) log.critical("invalid setting", {{"error", fault}});
    log.critical("application stopped with error", {{"faults", settings.error().faults.size()}});
    return 1;
  }
  hide_secrets_of_process();
  keep_little_memory();
  const Log log(Log::for_standard_error(settings->log_level));
  auto service = Service::make(std::move(*settings), environment, command.rebuild_state, log);
  if (!service) {
    log.critical("application stopped with error", {{"error", service.error().message}});
    return 1;
  }
  return (*service)->run();
}

int check_health() {
  const Log log(Log::for_standard_error(LogLevel::info));
  CurlTransport transport{CurlTransport::Options{}};  // asks localhost, whose certificate it does not check
  return healthcheck(process_environment(), transport, log);
}

CurlTransport transport_with(const std::string& ca_file) {
  auto options = CurlTransport::options_from_environment();
  options.user_agent = "windlass/" WINDLASS_VERSION;
  if (!ca_file.empty()) options.roots = {.for_libcurl = {.file = ca_file, .folders = ""}, .more = {}, .complaints = {}};
  for (const auto& complaint : options.roots.complaints) fmt::print(stderr, "warning: {}\n", complaint);
  return CurlTransport(std::move(options));
}

int verify_bundle(const VerifyBundleCommand& command) {
  const auto environment = process_environment();
  const auto root = environment.find("OCI_TRUSTED_ROOT_FILE");
  const auto outcome = verify_bundle_file(command, root != environment.end() ? root->second : "", SystemClock().now());
  std::fputs(outcome.output.c_str(), stdout);
  return outcome.exit_code;
}

// A command that asks the running service.
template <class Command>
int ask(const Command& command, int (*run)(const Command&, const Environment&, HttpTransport&)) {
  auto transport = transport_with(command.api.ca_file);
  return run(command, process_environment(), transport);
}

// What each command does.
struct Run {
  int operator()(const ServeCommand& command) const { return serve(command); }
  int operator()(const HealthcheckCommand&) const { return check_health(); }
  int operator()(const TakeOverCommand&) const {
    const auto environment = process_environment();
    hide_secrets_of_process();
    return take_over(environment);
  }
  int operator()(const PushCommand& command) const {
    auto transport = transport_with(command.ca_file);
    return push(command, process_environment(), transport);
  }
  int operator()(const SendCommand& command) const {
    auto transport = transport_with(command.ca_file);
    return send(command, process_environment(), transport);
  }
  int operator()(const VerifyCommand& command) const {
    auto transport = transport_with(command.ca_file);
    return verify(command, process_environment(), transport);
  }
  int operator()(const RunsCommand& command) const { return ask(command, show_runs); }
  int operator()(const HistoryCommand& command) const { return ask(command, show_history); }
  int operator()(const StatusCommand& command) const { return ask(command, show_status); }
  int operator()(const PlanCommand& command) const { return ask(command, show_plan); }
  int operator()(const RollbackCommand& command) const { return ask(command, roll_back); }
  int operator()(const ValidateCommand& command) const { return validate(command, process_environment()); }
  int operator()(const VerifyBundleCommand& command) const { return verify_bundle(command); }
  int operator()(const PrintCommand& command) const {
    std::fputs(command.text.c_str(), command.exit_code == 0 ? stdout : stderr);
    return command.exit_code;
  }
};

}  // namespace
}  // namespace windlass

int main(int argc, char** argv) {
  ::umask(077);                // state and staging are nobody else's; the live directory gets the modes of the artifact
  ::signal(SIGPIPE, SIG_IGN);  // a peer that goes away is an error of that connection
  return std::visit(windlass::Run(), windlass::parse_command_line(std::vector<std::string>(argv + 1, argv + argc)));
}
