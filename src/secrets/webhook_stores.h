// The stores of SECRET_PROVIDER_WEBHOOK_STORES: how to ask each of them for a value (secrets/V1.2 to V1.5).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "template/template.h"

namespace windlass {

struct WebhookStore {
  std::string method = "GET";
  Template url;
  Template json_path;
  std::vector<std::pair<std::string, Template>> headers;
  std::optional<Template> body;
  bool is_raw = false;             // values come into the URL as they are
  std::set<std::string> required;  // fields of remote_ref that the templates use
};

using WebhookStores = std::map<std::string, WebhookStore>;  // by name

// YAML documents: each with `stores`, a mapping by name or a list, or a store itself. Templates are parsed, a json_path
// without any is parsed as JMESPath. All faults in one Kind::invalid, each with the store and the rule; no values.
Result<WebhookStores> read_webhook_stores(std::string_view yaml);

}  // namespace windlass
