#include "webhook/registry/adapters.h"

namespace windlass {

RegistryAdapter adapter_of(RegistryFormat format) {
  switch (format) {
    case RegistryFormat::doco_oci:
      return read_doco_oci;
    case RegistryFormat::distribution:
      return read_distribution;
    case RegistryFormat::harbor_default:
      return read_harbor_default;
    case RegistryFormat::harbor_cloudevents:
      return read_harbor_cloudevents;
    case RegistryFormat::dockerhub:
      return read_dockerhub;
    case RegistryFormat::github_package:
      return read_github_package;
    case RegistryFormat::quay:
      return read_quay;
    case RegistryFormat::gitea_package:
      return read_gitea_package;
    case RegistryFormat::acr:
      return read_acr;
    case RegistryFormat::acr_eventgrid:
      return read_eventgrid;
    case RegistryFormat::ecr_eventbridge:
      return read_ecr;
    case RegistryFormat::gar_pubsub:
      return read_gar_pubsub;
    case RegistryFormat::gar_unwrapped:
      return read_gar_unwrapped;
    case RegistryFormat::jfrog:
      return read_jfrog;
    case RegistryFormat::nexus:
      return read_nexus;
    case RegistryFormat::zot:
      return read_zot;
  }
  return read_distribution;
}

}  // namespace windlass
