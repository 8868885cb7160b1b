#include "sys/url.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/text.h"

namespace windlass {
namespace {

struct FreeUrl {
  void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};
using UrlHandle = std::unique_ptr<CURLU, FreeUrl>;

std::string part_of(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* raw = nullptr;
  if (curl_url_get(url, part, &raw, flags) != CURLUE_OK) return {};
  std::string text(raw);
  curl_free(raw);
  return text;
}

tl::unexpected<Error> refuse(std::string_view why) { return fail(Kind::invalid, fmt::format("URL {}", why)); }

bool is_control_or_space(unsigned char c) { return c <= ' ' || c == 0x7F; }

Status set_url(CURLU* url, std::string_view text) {
  if (std::any_of(text.begin(), text.end(), is_control_or_space)) return refuse("holds a control byte or a space");
  const auto code = curl_url_set(url, CURLUPART_URL, std::string(text).c_str(), CURLU_PATH_AS_IS);
  return code == CURLUE_OK ? Status() : refuse(fmt::format("is not valid: {}", lower(curl_url_strerror(code))));
}

Result<Url> taken_apart(CURLU* url) {
  Url parts;
  parts.scheme = part_of(url, CURLUPART_SCHEME);
  if (parts.scheme != "http" && parts.scheme != "https") return refuse("must begin with http:// or https://");
  if (!part_of(url, CURLUPART_USER).empty() || !part_of(url, CURLUPART_PASSWORD).empty())
    return refuse("must not carry a user name or password");
  parts.host = lower(part_of(url, CURLUPART_HOST));
  if (parts.host.empty()) return refuse("has no host");
  parts.port = part_of(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
  parts.path = part_of(url, CURLUPART_PATH);
  parts.query = part_of(url, CURLUPART_QUERY);
  return parts;
}

}  // namespace

std::string Url::shown() const {
  const bool is_default = port == (scheme == "https" ? "443" : "80");
  return fmt::format("{}://{}{}{}", scheme, host, is_default ? "" : ":" + port, path);
}

std::string Url::str() const { return query.empty() ? shown() : shown() + "?" + query; }

Result<Url> parse_url(std::string_view text) {
  const UrlHandle url(curl_url());
  if (auto set = set_url(url.get(), text); !set) return tl::unexpected(set.error());
  return taken_apart(url.get());
}

Result<Url> resolve_url(const Url& base, std::string_view reference) {
  const UrlHandle url(curl_url());
  if (auto set = set_url(url.get(), base.str()); !set) return tl::unexpected(set.error());
  if (auto set = set_url(url.get(), reference); !set) return tl::unexpected(set.error());
  return taken_apart(url.get());
}

}  // namespace windlass
