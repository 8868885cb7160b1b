#include "webhook/registry/repository_place.h"

namespace windlass {

bool place_repository(Push& push, std::string_view key, const RegistryHook& hook) {
  const auto found = hook.repositories.find(std::string(key));
  if (found == hook.repositories.end()) return false;
  const std::string_view place = found->second;
  const auto slash = place.find('/');
  push.host = std::string(place.substr(0, slash));
  if (slash != place.npos) push.repository.insert(0, std::string(place.substr(slash + 1)) + "/");
  return true;
}

}  // namespace windlass
