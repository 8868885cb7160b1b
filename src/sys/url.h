// http and https URLs taken apart, by libcurl's parser: the same one that connects, so that no two readings differ.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace windlass {

struct Url {
  std::string scheme;  // "http" or "https"
  std::string host;    // lower case; IPv6 in brackets; an odd spelling of an IPv4 address is made dotted
  std::string port;    // as a number, filled in from the scheme
  std::string path;    // begins with '/'
  std::string query;   // without the '?'

  // Scheme, host, port unless it is the scheme's own, path and query.
  std::string str() const;
  // As str() without the query: what may be shown (oci 3.4).
  std::string shown() const;
  // "host:port", what a connection and a credential belong to.
  std::string host_port() const { return host + ":" + port; }
};

// Kind::invalid for other schemes, user info, control bytes.
Result<Url> parse_url(std::string_view text);
// `reference` (a Location header) seen from `base`.
Result<Url> resolve_url(const Url& base, std::string_view reference);

}  // namespace windlass
