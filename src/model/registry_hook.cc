#include "model/registry_hook.h"

#include <algorithm>
#include <iterator>

namespace windlass {
namespace {

struct Named {
  RegistryFormat format;
  std::string_view name;
  RegistryProof proof;
};

constexpr Named kFormats[] = {
    {RegistryFormat::doco_oci, "doco-oci", RegistryProof::header},
    {RegistryFormat::distribution, "distribution", RegistryProof::header},
    {RegistryFormat::harbor_default, "harbor-default", RegistryProof::header},
    {RegistryFormat::harbor_cloudevents, "harbor-cloudevents", RegistryProof::header},
    {RegistryFormat::dockerhub, "dockerhub", RegistryProof::url_token},
    {RegistryFormat::github_package, "github-package", RegistryProof::hmac},
    {RegistryFormat::quay, "quay", RegistryProof::url_token},
    {RegistryFormat::gitea_package, "gitea-package", RegistryProof::hmac},
    {RegistryFormat::acr, "acr", RegistryProof::header},
    {RegistryFormat::acr_eventgrid, "acr-eventgrid", RegistryProof::url_token},
    {RegistryFormat::ecr_eventbridge, "ecr-eventbridge", RegistryProof::header},
    {RegistryFormat::gar_pubsub, "gar-pubsub", RegistryProof::url_token},
    {RegistryFormat::gar_unwrapped, "gar-unwrapped", RegistryProof::url_token},
    {RegistryFormat::jfrog, "jfrog", RegistryProof::hmac},
    {RegistryFormat::nexus, "nexus", RegistryProof::hmac},
    {RegistryFormat::zot, "zot", RegistryProof::header},
};

const Named& named(RegistryFormat format) {
  return *std::find_if(std::begin(kFormats), std::end(kFormats),
                       [&](const Named& each) { return each.format == format; });
}

}  // namespace

std::string_view to_string(RegistryFormat format) { return named(format).name; }
RegistryProof proof_of(RegistryFormat format) { return named(format).proof; }

std::optional<RegistryFormat> parse_registry_format(std::string_view text) {
  for (const auto& each : kFormats)
    if (each.name == text) return each.format;
  return std::nullopt;
}

std::vector<std::string_view> registry_format_names() {
  std::vector<std::string_view> names;
  for (const auto& each : kFormats) names.push_back(each.name);
  return names;
}

}  // namespace windlass
