#include "config/adopt_allow.h"

#include <fmt/format.h>

#include "base/text.h"
#include "config/setting_reader.h"

namespace windlass {

std::vector<AllowedAdoption> read_adopt_allow(SettingReader& read, const ArtifactCheck& is_artifact) {
  std::vector<AllowedAdoption> allowed;
  for (const auto& entry : read.list("ADOPT_ALLOW")) {
    const auto equals = entry.find('=');
    const auto stack = std::string(trim(std::string_view(entry).substr(0, equals)));
    const auto source = equals == entry.npos ? "" : std::string(trim(std::string_view(entry).substr(equals + 1)));
    const auto name = source.substr(source.rfind('/') + 1);
    if (stack.empty() || source.empty() || name.find_first_of(":@") != name.npos)
      read.fault(fmt::format("ADOPT_ALLOW: {} is not <stack>=<registry>/<repository>, without a tag", shown(entry)));
    else if (const auto good = is_artifact ? is_artifact(source) : Status(); !good)
      read.fault(fmt::format("ADOPT_ALLOW: {}: {}", shown(entry), good.error().message));
    else
      allowed.push_back({stack, source});
  }
  return allowed;
}

}  // namespace windlass
