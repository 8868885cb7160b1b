// The adapters, one for each sender (registry-events 4), in a file of its own each.
#pragma once

#include "webhook/registry/event.h"

namespace windlass {

std::vector<RegistryEvent> read_acr(const RegistryRequest& request, const RegistryHook& hook);
std::vector<RegistryEvent> read_distribution(const RegistryRequest& request, const RegistryHook& hook);
std::vector<RegistryEvent> read_doco_oci(const RegistryRequest& request, const RegistryHook& hook);
std::vector<RegistryEvent> read_dockerhub(const RegistryRequest& request, const RegistryHook& hook);
std::vector<RegistryEvent> read_ecr(const RegistryRequest& request, const RegistryHook& hook);
std::vector<RegistryEvent> read_eventgrid(const RegistryRequest& request, const RegistryHook& hook);
std::vector<RegistryEvent> read_gar_pubsub(const RegistryRequest& request, const RegistryHook& hook);
std::vector<RegistryEvent> read_gar_unwrapped(const RegistryRequest& request, const RegistryHook& hook);
std::vector<RegistryEvent> read_gitea_package(const RegistryRequest& request, const RegistryHook& hook);
std::vector<RegistryEvent> read_github_package(const RegistryRequest& request, const RegistryHook& hook);
std::vector<RegistryEvent> read_harbor_cloudevents(const RegistryRequest& request, const RegistryHook& hook);
std::vector<RegistryEvent> read_harbor_default(const RegistryRequest& request, const RegistryHook& hook);
std::vector<RegistryEvent> read_jfrog(const RegistryRequest& request, const RegistryHook& hook);
std::vector<RegistryEvent> read_nexus(const RegistryRequest& request, const RegistryHook& hook);
std::vector<RegistryEvent> read_quay(const RegistryRequest& request, const RegistryHook& hook);
std::vector<RegistryEvent> read_zot(const RegistryRequest& request, const RegistryHook& hook);

RegistryAdapter adapter_of(RegistryFormat format);

}  // namespace windlass
