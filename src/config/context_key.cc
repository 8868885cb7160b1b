#include "config/context_key.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/text.h"

namespace windlass {
namespace {

constexpr std::size_t kNameBytesMax = 128;

}  // namespace

bool is_context_name(std::string_view name) {
  const auto fits = [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '.' || c == '+' || c == '-'; };
  return name.size() >= 2 && name.size() <= kNameBytesMax && std::isalnum(static_cast<unsigned char>(name[0])) &&
         std::all_of(name.begin(), name.end(), fits);
}

void decode_context(KeyReader& read, DeployConfig& config) {
  read.text("context", config.context);
  config.context = trim(config.context);
  if (config.context == "default") config.context.clear();
  if (!config.context.empty() && !is_context_name(config.context))
    read.fault("context", fmt::format("\"{}\" is not the name of a Docker context: [a-zA-Z0-9][a-zA-Z0-9_.+-]+",
                                      printable(config.context, 100)));
  read.flag("remote_paths", config.remote_paths);
}

}  // namespace windlass
