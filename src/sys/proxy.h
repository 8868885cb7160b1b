// Which proxy a request goes through, by the standard environment variables (oci 3.4).
#pragma once

#include <string>

#include "sys/url.h"

namespace windlass {

struct ProxySettings {
  std::string http, https;  // proxy URLs, with credentials if they have them; empty: none
  // NO_PROXY: hosts, suffixes, CIDR blocks, "*", each with an optional port, between commas or spaces.
  std::string exceptions;

  // http_proxy, https_proxy and no_proxy; the upper-case spelling counts where the lower-case one is absent.
  static ProxySettings from_environment();

  // The proxy for that URL, "" for a direct connection. Loopback is never proxied.
  std::string proxy_for(const Url& url) const;
};

// True if libcurl can use it as a proxy. False also where it could, but would take a part of the password for port or
// path, as one of `/?#` in it is not escaped. libcurl shows what it refuses, so such a value must not get so far.
bool is_proxy_url(const std::string& text);

}  // namespace windlass
