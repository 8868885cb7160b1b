// OCI_ALLOWED_ARTIFACTS: which artifacts a webhook may name, and for which target (oci 2, webhook/R6).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "oci/reference.h"

namespace windlass {

class AllowList {
 public:
  // Globs over "registry/repository": `*` stops at '/', `**` does not; docker.io is index.docker.io. A glob that ends
  // in "#<target>" holds for that target only. No entry at all: everything is allowed.
  explicit AllowList(const std::vector<std::string>& entries);

  bool allows(const Reference& reference, std::string_view target) const;

 private:
  struct Entry {
    std::string glob;
    bool is_pinned = false;
    std::string target;
  };
  std::vector<Entry> entries_;
};

}  // namespace windlass
