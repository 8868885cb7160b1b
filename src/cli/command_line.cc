#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>

namespace windlass {

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
  CLI::App app("GitOps continuous delivery for Docker", "windlass");
  app.footer("Without a command the service is started. Its settings are environment variables.");
  app.set_version_flag("--version", "windlass " WINDLASS_VERSION);
  app.require_subcommand(0, 1);
  app.add_subcommand("serve", "start the service");
  const auto* healthcheck = app.add_subcommand("healthcheck", "ask the service on this machine for its health");
  try {
    auto reversed = arguments;  // CLI11 takes them last first
    std::reverse(reversed.begin(), reversed.end());
    app.parse(reversed);
  } catch (const CLI::CallForVersion& version) {
    return PrintCommand{0, std::string(version.what()) + "\n"};
  } catch (const CLI::CallForHelp&) {
    return PrintCommand{0, app.help()};
  } catch (const CLI::ParseError& error) {
    return PrintCommand{2, std::string(error.what()) + "\n\n" + app.help()};
  }
  if (healthcheck->parsed()) return HealthcheckCommand{};
  return ServeCommand{};
}

}  // namespace windlass
