// Repositories of servers that hold several: `repositories` says under which host and path Docker clients see each.
#pragma once

#include <string>
#include <string_view>

#include "model/registry_hook.h"
#include "webhook/registry/event.h"

namespace windlass {

// Puts the place of the repository with that key in front of the push; false when none is set for it.
bool place_repository(Push& push, std::string_view key, const RegistryHook& hook);

}  // namespace windlass
