#include "config/unbuilt_keys.h"

#include <fmt/format.h>

#include "base/text.h"

namespace windlass {
namespace {

void refuse(KeyReader& read, const std::string& key) {
  read.fault(key, fmt::format("deploy key \"{}\" is not built yet in this version of windlass: remove it", key));
}

}  // namespace

void refuse_unbuilt_keys(KeyReader& read) {
  if (const auto* url = read.take("repository_url"); url != nullptr && !url->is_null() && !trim(url->text).empty())
    read.fault("repository_url", "repository_url is not supported for OCI sources");
  std::string context;
  read.text("context", context);
  if (!trim(context).empty()) refuse(read, "context");
  if (const auto* secrets = read.take("external_secrets");
      secrets != nullptr && !secrets->is_null() &&
      (secrets->kind == YamlNode::Kind::scalar || !secrets->items.empty() || !secrets->entries.empty()))
    refuse(read, "external_secrets");
}

}  // namespace windlass
