#include "config/mapping_list.h"

#include <fmt/format.h>

#include "config/yaml.h"

namespace windlass {

void read_mappings(std::string_view text, std::string_view file, std::string_view what, std::string_view key,
                   std::vector<std::string>& faults, const std::function<void(KeyReader&)>& decode) {
  const auto yaml = parse_yaml(text, file);
  if (!yaml) return faults.push_back(yaml.error().message);
  for (const auto* document : yaml->documents) {
    if (document->kind != YamlNode::Kind::sequence) {
      faults.push_back(fmt::format("{}:{}: must be a list of {}", file, document->line, what));
      continue;
    }
    for (const auto* item : document->items) {
      if (item->kind != YamlNode::Kind::mapping) {
        faults.push_back(fmt::format("{}:{}: must be a mapping with the key {}", file, item->line, key));
        continue;
      }
      KeyReader read(*item, file, faults);
      decode(read);
      const auto unknown = read.unknown_keys();
      faults.insert(faults.end(), unknown.begin(), unknown.end());
    }
  }
}

}  // namespace windlass
