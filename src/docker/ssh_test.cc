#include "docker/ssh.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace windlass {
namespace {

std::string arguments_of(std::string_view host) {
  const auto command = dial_stdio_command(host, {});
  if (!command) return std::string(to_string(command.error().kind)) + ": " + command.error().message;
  EXPECT_EQ(command->program, "ssh");
  return join(command->arguments, " ");
}

TEST(Ssh, ReachesTheEngineByTheDockerCommandThere) {
  const std::string options =
      "-o BatchMode=yes -o ConnectTimeout=15 -o ServerAliveInterval=30 -o ServerAliveCountMax=3 -T -- ";
  const std::pair<std::string_view, std::string> rows[] = {
      {"ssh://edge", options + "edge docker system dial-stdio"},
      {"ssh://edge/", options + "edge docker system dial-stdio"},
      {"ssh://deploy@edge.example:2222", "-l deploy -p 2222 " + options + "edge.example docker system dial-stdio"},
      {"ssh://[fd00::1]:22", "-p 22 " + options + "fd00::1 docker system dial-stdio"},
      {"ssh://edge/run/user/1000/docker.sock",
       options + "edge docker --host=unix:///run/user/1000/docker.sock system dial-stdio"},
  };
  for (const auto& [host, arguments] : rows) EXPECT_EQ(arguments_of(host), arguments) << host;
}

// reliability/T14
TEST(Ssh, RefusesWhatWouldBeAnOptionOrMoreThanAWord) {
  const std::pair<std::string_view, std::string> rows[] = {
      {"ssh://", "invalid: names no machine"},
      {"ssh://-oProxyCommand=id", "invalid: names no machine"},
      {"ssh://me@-oProxyCommand=id", "invalid: names no machine"},
      {"ssh://edge;id", "invalid: names no machine"},
      {"ssh://edge id", "invalid: names no machine"},
      {"ssh://-l@edge", "invalid: has a user that is none"},
      {"ssh://a b@edge", "invalid: has a user that is none"},
      {"ssh://@edge", "invalid: has a user that is none"},
      {"ssh://me:secret@edge", "invalid: holds a password: ssh takes a key"},
      {"ssh://edge:", "invalid: has a port that is none"},
      {"ssh://edge:0", "invalid: has a port that is none"},
      {"ssh://edge:22x", "invalid: has a port that is none"},
      {"ssh://edge:99999", "invalid: has a port that is none"},
      {"ssh://[fd00::1", "invalid: has no end of its address"},
      {"ssh://[fd00::1]x", "invalid: has something behind its address"},
      {"ssh://edge/a;id", "invalid: has a path that is no socket"},
      {"ssh://edge/$(id)", "invalid: has a path that is no socket"},
      {"ssh://edge?x=1", "invalid: names no machine"},
  };
  for (const auto& [host, said] : rows) EXPECT_EQ(arguments_of(host), said) << host;
}

TEST(Ssh, GetsOfOurEnvironmentWhatItReads) {
  const auto command = dial_stdio_command(
      "ssh://edge", {{"PATH", "/bin"}, {"HOME", "/root"}, {"SSH_AUTH_SOCK", "/agent"}, {"API_SECRET", "s"}});
  EXPECT_EQ(command->environment,
            (std::map<std::string, std::string>{{"PATH", "/bin"}, {"HOME", "/root"}, {"SSH_AUTH_SOCK", "/agent"}}));
}

}  // namespace
}  // namespace windlass
