// Lists of networks and hosts among the settings (config 2).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace windlass {

// "10.1.2.3/8" as "10.0.0.0/8": host bits cleared, IPv6 in its shortest form. Nothing if it is no CIDR block.
std::optional<std::string> canonical_network(std::string_view text);

// "Host", "host:port" or "[::1]:port" in lower case. Nothing for URLs, paths, users, and ports outside 1 to 65535.
std::optional<std::string> registry_host(std::string_view text);

}  // namespace windlass
