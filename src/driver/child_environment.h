// What the compose process may see of the world (deploy/X12).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace windlass {

// Whether a variable of this name steers the child (what it runs, whom it talks to) instead of being read by a model.
bool steers_child(std::string_view name);

// Whether a variable of our own may hold a password: DOCKER_AUTH_CONFIG, DOCKER_CUSTOM_HEADERS, and a proxy's URL.
bool may_hold_credentials(std::string_view name);

struct ChildEnvironment {
  std::map<std::string, std::string> variables;
  std::vector<std::string> withheld;  // keys of the interpolation map that steer, in order
};

// PATH, HOME, DOCKER_*, SSH_AUTH_SOCK and the proxy variables of our own process, and the interpolation map without
// what steers. The tool interpolates from its environment, so our own secrets must not be in it. Only the call that
// resolves a model gets the map: the names that steer the tool itself are known, those of what it starts are not.
ChildEnvironment child_environment(const std::map<std::string, std::string>& own,
                                   const std::map<std::string, std::string>& interpolation);

// The variables that no compose file may read. A call in which the file decides what is shown or what reaches a
// container goes without them; one that talks to registries needs them.
std::map<std::string, std::string> without_credentials(std::map<std::string, std::string> variables);

// What must not be shown of those variables of ours: whole values, and of a URL its password.
std::vector<std::string> credentials_in(const std::map<std::string, std::string>& own);

}  // namespace windlass
