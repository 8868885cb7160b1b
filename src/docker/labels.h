// Labels of what an engine has, and those that docker compose puts there.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace windlass {

using Labels = std::map<std::string, std::string>;

// "" if there is none.
inline std::string label_of(const Labels& labels, std::string_view key) {
  const auto found = labels.find(std::string(key));
  return found == labels.end() ? std::string() : found->second;
}

// Compose's own (it writes them itself).
inline constexpr std::string_view kComposePrefix = "com.docker.compose.";
inline constexpr std::string_view kProjectLabel = "com.docker.compose.project";
inline constexpr std::string_view kServiceLabel = "com.docker.compose.service";
inline constexpr std::string_view kVolumeLabel = "com.docker.compose.volume";
inline constexpr std::string_view kOneOffLabel = "com.docker.compose.oneoff";  // "True" of `docker compose run`
inline constexpr std::string_view kNumberLabel = "com.docker.compose.container-number";

// For Engine::containers() and the like: what is of one project, what of one service.
inline std::string project_filter(std::string_view name) { return std::string(kProjectLabel).append("=").append(name); }
inline std::string service_filter(std::string_view name) { return std::string(kServiceLabel).append("=").append(name); }

}  // namespace windlass
