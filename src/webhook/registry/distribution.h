// One event as CNCF Distribution describes it (distribution, docs "Notifications"); ACR sends the same without an
// envelope.
#pragma once

#include "webhook/registry/event.h"

namespace windlass {

// `host`: where the registry is, in the sender's words.
RegistryEvent distribution_event(const json::value& event, std::string host, const RegistryHook& hook);

}  // namespace windlass
