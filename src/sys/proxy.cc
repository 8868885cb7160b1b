#include "sys/proxy.h"

#include <arpa/inet.h>
#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

#include "base/text.h"
#include "sys/address.h"

namespace windlass {
namespace {

std::string environment(const char* name, const char* upper_name) {
  for (const char* each : {name, upper_name})
    if (const char* value = std::getenv(each); value && *value) return value;
  return {};
}

struct IpBytes {
  std::array<unsigned char, 16> bytes{};
  int bits = 0;  // 32 or 128
};

std::optional<IpBytes> parse_ip(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  const std::string copy(text);
  IpBytes ip;
  if (inet_pton(AF_INET, copy.c_str(), ip.bytes.data()) == 1) return ip.bits = 32, ip;
  if (inet_pton(AF_INET6, copy.c_str(), ip.bytes.data()) == 1) return ip.bits = 128, ip;
  return std::nullopt;
}

// "10.0.0.0/8"
bool is_in_block(std::string_view host, std::string_view block) {
  const auto slash = block.find('/');
  const auto ip = parse_ip(host), network = parse_ip(block.substr(0, slash));
  if (slash == block.npos || !ip || !network || ip->bits != network->bits) return false;
  int prefix = -1;
  const auto digits = block.substr(slash + 1);
  std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
  if (prefix < 0 || prefix > ip->bits) return false;
  const auto whole = static_cast<std::size_t>(prefix / 8);
  if (std::memcmp(ip->bytes.data(), network->bytes.data(), whole) != 0) return false;
  const int rest = prefix % 8;
  return rest == 0 || (ip->bytes[whole] ^ network->bytes[whole]) >> (8 - rest) == 0;
}

bool is_excepted(const Url& url, std::string rule) {
  if (rule == "*" || is_in_block(url.host, rule)) return true;
  const auto colon = rule.rfind(':');
  const bool has_port = colon != rule.npos && rule.find(':') == colon;  // a bare IPv6 address has several colons
  if (has_port) {
    if (rule.substr(colon + 1) != url.port) return false;
    rule.resize(colon);
  }
  if (rule.starts_with("*.")) rule.erase(0, 1);
  if (rule.starts_with('.')) return url.host.ends_with(rule);
  return url.host == rule || url.host == "[" + rule + "]" || url.host.ends_with("." + rule);
}

struct FreeUrl {
  void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};

// Nothing: it cannot be decoded. "" where there is none.
std::optional<std::string> decoded_part(CURLU* url, CURLUPart part, CURLUcode none) {
  char* text = nullptr;
  const auto code = curl_url_get(url, part, &text, CURLU_URLDECODE);
  const std::unique_ptr<char, decltype(&curl_free)> owned(text, curl_free);
  if (code == none) return "";
  return code == CURLUE_OK ? std::optional<std::string>(text) : std::nullopt;
}

}  // namespace

ProxySettings ProxySettings::from_environment() {
  // HTTP_PROXY in capitals is taken too: this is no CGI program, where a client could set it
  return {.http = environment("http_proxy", "HTTP_PROXY"),
          .https = environment("https_proxy", "HTTPS_PROXY"),
          .exceptions = environment("no_proxy", "NO_PROXY")};
}

std::string ProxySettings::proxy_for(const Url& url) const {
  const auto& proxy = url.scheme == "https" ? https : http;
  if (proxy.empty() || is_loopback_host(url.host)) return {};
  auto rules = exceptions;  // between spaces too, as curl reads it
  std::ranges::replace(rules, ' ', ',');
  std::ranges::replace(rules, '\t', ',');
  for (const auto& rule : comma_list(rules))
    if (is_excepted(url, lower(rule))) return {};
  return proxy;
}

bool is_proxy_url(const std::string& text) {
  constexpr std::array<std::string_view, 7> kSchemes = {"http",    "https",  "socks",  "socks4",
                                                        "socks4a", "socks5", "socks5h"};
  const std::unique_ptr<CURLU, FreeUrl> url(curl_url());
  if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME) != CURLUE_OK)
    return false;
  const auto scheme = decoded_part(url.get(), CURLUPART_SCHEME, CURLUE_NO_SCHEME);
  if (!scheme || std::ranges::find(kSchemes, *scheme) == kSchemes.end()) return false;
  // libcurl goes without the proxy, and says nothing, if these hold a control character
  if (!decoded_part(url.get(), CURLUPART_USER, CURLUE_NO_USER)) return false;
  if (!decoded_part(url.get(), CURLUPART_PASSWORD, CURLUE_NO_PASSWORD)) return false;
  const auto mark = text.find("://");
  const auto end = text.find_first_of("/?#", mark == text.npos ? 0 : mark + 3);
  return end == text.npos || text.find('@', end) == text.npos;
}

}  // namespace windlass
