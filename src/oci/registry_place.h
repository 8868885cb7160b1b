// Where an artifact is fetched from: its registry, or what OCI_REGISTRIES_FILE puts in its place (oci 6).
#pragma once

#include <string>
#include <vector>

#include "oci/registry.h"

namespace windlass {

struct RegistryPlace {
  Reference reference;       // as it is named there
  bool is_insecure = false;  // certificates are not checked, plain HTTP is spoken, with credentials
  TlsOptions tls;
  bool is_mirror = false;

  // Places with equal keys are one peer: what is learnt of one holds for the other.
  std::string key() const;
};

class RegistryPlaces {
 public:
  explicit RegistryPlaces(const RegistryOptions& options)
      : insecure_registries_(options.insecure_registries), rules_(options.rules) {}

  // The registry itself, or the location that stands for it. Kind::invalid if a rule makes a name that is none.
  Result<RegistryPlace> primary(const Reference& reference) const;
  // Where to ask, in this order; the primary is the last one. `is_immutable`: for something that is named by digest.
  Result<std::vector<RegistryPlace>> of(const Reference& reference, bool is_immutable) const;

 private:
  const RegistryRule* rule_of(const std::string& source_id) const;
  Result<RegistryPlace> place_at(const Reference& reference, const RegistryRule& rule, const std::string& name) const;
  bool is_listed(const std::string& registry) const;

  std::vector<std::string> insecure_registries_;
  std::vector<RegistryRule> rules_;
};

}  // namespace windlass
