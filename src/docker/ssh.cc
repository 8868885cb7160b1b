#include "docker/ssh.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "base/text.h"

namespace windlass {
namespace {

constexpr std::string_view kScheme = "ssh://";

tl::unexpected<Error> wrong(std::string_view what) { return fail(Kind::invalid, std::string(what)); }

// Nothing that a shell, or ssh in its configuration, would take for more than a letter.
bool is_word(std::string_view text, std::string_view marks) {
  const auto fits = [&](unsigned char c) { return std::isalnum(c) || marks.find(static_cast<char>(c)) != marks.npos; };
  return !text.empty() && text[0] != '-' && std::all_of(text.begin(), text.end(), fits);
}

struct SshHost {
  std::string user, machine, port, socket;
};

Result<SshHost> parse(std::string_view host) {
  SshHost parsed;
  auto rest = host.substr(kScheme.size());
  const auto slash = std::min(rest.find('/'), rest.size());
  parsed.socket = rest.substr(slash);
  if (parsed.socket == "/") parsed.socket.clear();
  rest = rest.substr(0, slash);
  if (const auto at = rest.rfind('@'); at != rest.npos) {
    parsed.user = rest.substr(0, at);
    rest.remove_prefix(at + 1);
    if (parsed.user.find(':') != std::string::npos) return wrong("holds a password: ssh takes a key");
    if (!is_word(parsed.user, "._-\\+")) return wrong("has a user that is none");
  }
  if (rest.starts_with('[')) {
    const auto end = rest.find(']');
    if (end == rest.npos) return wrong("has no end of its address");
    parsed.machine = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
    if (!rest.empty() && rest[0] != ':') return wrong("has something behind its address");
  } else {
    const auto colon = std::min(rest.find(':'), rest.size());
    parsed.machine = rest.substr(0, colon);
    rest.remove_prefix(colon);
  }
  if (!is_word(parsed.machine, "._-:%")) return wrong("names no machine");
  if (!rest.empty()) {
    parsed.port = rest.substr(1);
    std::uint16_t number = 0;
    const auto* end = parsed.port.data() + parsed.port.size();
    const auto [read, error] = std::from_chars(parsed.port.data(), end, number);
    if (error != std::errc() || read != end || number == 0) return wrong("has a port that is none");
  }
  if (!parsed.socket.empty() && !is_word(parsed.socket, "/._-")) return wrong("has a path that is no socket");
  return parsed;
}

}  // namespace

Result<Command> dial_stdio_command(std::string_view host, const std::map<std::string, std::string>& environment) {
  const auto parsed = parse(host);
  if (!parsed) return tl::unexpected(parsed.error());
  Command command{.program = "ssh"};
  for (const auto* name : {"PATH", "HOME", "USER", "LOGNAME", "LANG", "SSH_AUTH_SOCK"})
    if (const auto found = environment.find(name); found != environment.end()) command.environment.insert(*found);
  auto& arguments = command.arguments;
  const auto add = [&](std::initializer_list<std::string> more) {
    arguments.insert(arguments.end(), more.begin(), more.end());
  };
  if (!parsed->user.empty()) add({"-l", parsed->user});
  if (!parsed->port.empty()) add({"-p", parsed->port});
  // Nobody is there to be asked. A machine that has gone away ends the connection after a minute and a half.
  add({"-o", "BatchMode=yes", "-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=30", "-o", "ServerAliveCountMax=3",
       "-T", "--", parsed->machine, "docker"});
  if (!parsed->socket.empty()) add({"--host=unix://" + parsed->socket});
  add({"system", "dial-stdio"});
  return command;
}

}  // namespace windlass
