#include "oci/registry_place.h"

#include <fmt/format.h>

#include <algorithm>

namespace windlass {
namespace {

TlsOptions tls_of(const RegistryRule& rule) {
  return {.ca_file = rule.ca_file, .client_cert_file = rule.client_cert_file, .client_key_file = rule.client_key_file};
}

}  // namespace

std::string RegistryPlace::key() const {
  return fmt::format("{}\n{}\n{}\n{}\n{}", reference.registry(), is_insecure, tls.ca_file, tls.client_cert_file,
                     tls.client_key_file);
}

const RegistryRule* RegistryPlaces::rule_of(const std::string& source_id) const {
  const RegistryRule* longest = nullptr;
  for (const auto& rule : rules_) {
    const bool fits = source_id == rule.prefix || source_id.starts_with(rule.prefix + "/");
    if (fits && (!longest || rule.prefix.size() > longest->prefix.size())) longest = &rule;
  }
  return longest;
}

bool RegistryPlaces::is_listed(const std::string& registry) const {
  return std::find(insecure_registries_.begin(), insecure_registries_.end(), registry) != insecure_registries_.end();
}

// `name` in place of the rule's prefix.
Result<RegistryPlace> RegistryPlaces::place_at(const Reference& reference, const RegistryRule& rule,
                                               const std::string& name) const {
  const auto there = name + reference.source_id().substr(rule.prefix.size());
  const auto version = reference.digest() ? "@" + reference.digest()->str() : ":" + reference.tag();
  if (there.find('/') == there.npos)  // a registry alone would be taken for a repository of Docker Hub
    return fail(Kind::invalid, fmt::format("{} has no repository left at {}", reference.source_id(), name));
  auto moved = Reference::parse(there + version);
  if (!moved) return while_doing(fmt::format("{} at {}", reference.source_id(), name), moved.error());
  return RegistryPlace{.reference = *moved, .is_insecure = is_listed(moved->registry())};
}

Result<RegistryPlace> RegistryPlaces::primary(const Reference& reference) const {
  const auto* rule = rule_of(reference.source_id());
  if (!rule) return RegistryPlace{.reference = reference, .is_insecure = is_listed(reference.registry())};
  auto place = place_at(reference, *rule, rule->location);
  if (!place) return place;
  place->is_insecure = place->is_insecure || rule->insecure;
  place->tls = tls_of(*rule);
  return place;
}

Result<std::vector<RegistryPlace>> RegistryPlaces::of(const Reference& reference, bool is_immutable) const {
  std::vector<RegistryPlace> places;
  const auto* rule = rule_of(reference.source_id());
  if (rule && (is_immutable || rule->mirror_tags)) {
    for (const auto& mirror : rule->mirrors) {
      auto place = place_at(reference, *rule, mirror);
      if (!place) return tl::unexpected(place.error());
      place->is_mirror = true;
      if (const auto* own = rule_of(place->reference.source_id())) {  // how to speak to it, but not where to
        place->is_insecure = place->is_insecure || own->insecure;
        place->tls = tls_of(*own);
      }
      places.push_back(std::move(*place));
    }
  }
  auto last = primary(reference);
  if (!last) return tl::unexpected(last.error());
  places.push_back(std::move(*last));
  return places;
}

}  // namespace windlass
