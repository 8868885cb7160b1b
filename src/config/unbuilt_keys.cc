#include "config/unbuilt_keys.h"

#include "base/text.h"

namespace windlass {

void refuse_unbuilt_keys(KeyReader& read) {
  if (const auto* url = read.take("repository_url"); url != nullptr && !url->is_null() && !trim(url->text).empty())
    read.fault("repository_url", "repository_url is not supported for OCI sources");
  std::string context;
  read.text("context", context);
  if (!trim(context).empty())
    read.fault("context", "deploy key \"context\" is not built yet in this version of windlass: remove it");
}

}  // namespace windlass
