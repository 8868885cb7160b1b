#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdio>
#include <string>
#include <vector>

#include "app/service.h"
#include "cli/command_line.h"
#include "cli/healthcheck.h"
#include "config/settings.h"
#include "oci/reference.h"
#include "sys/curl_transport.h"

namespace windlass {
namespace {

int serve() {
  const auto environment = process_environment();
  auto settings = read_settings(environment, [](std::string_view text) -> Status {
    const auto reference = Reference::parse(text);
    return reference ? Status() : tl::unexpected(reference.error());
  });
  if (!settings) {
    const Log log(Log::for_standard_error(LogLevel::debug));
    for (const auto& fault : settings.error().faults) log.critical("invalid setting", {{"error", fault}});
    log.critical("application stopped with error", {{"faults", settings.error().faults.size()}});
    return 1;
  }
  const Log log(Log::for_standard_error(settings->log_level));
  auto service = Service::make(std::move(*settings), environment, log);
  if (!service) {
    log.critical("application stopped with error", {{"error", service.error().message}});
    return 1;
  }
  return (*service)->run();
}

int check_health() {
  const Log log(Log::for_standard_error(LogLevel::info));
  CurlTransport transport;
  return healthcheck(process_environment(), transport, log);
}

int print(const PrintCommand& command) {
  std::fputs(command.text.c_str(), command.exit_code == 0 ? stdout : stderr);
  return command.exit_code;
}

int run(const std::vector<std::string>& arguments) {
  const auto command = parse_command_line(arguments);
  if (const auto* text = std::get_if<PrintCommand>(&command)) return print(*text);
  if (std::holds_alternative<HealthcheckCommand>(command)) return check_health();
  return serve();
}

}  // namespace
}  // namespace windlass

int main(int argc, char** argv) {
  ::umask(077);  // state and staging are nobody else's; the live directory gets the modes of the artifact
  return windlass::run(std::vector<std::string>(argv + 1, argv + argc));
}
