#include "webhook/registry/google_token.h"

#include <algorithm>

#include "base/recover.h"
#include "base/text.h"
#include "sys/crypto.h"
#include "sys/files.h"
#include "sys/json.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

constexpr auto kFetchEvery = 6h;
constexpr auto kFetchPause = 1min;
constexpr std::uint64_t kKeySetBytesMax = 256 << 10;
constexpr std::size_t kTokenBytesMax = 8 << 10;
constexpr std::int64_t kClockLeewaySeconds = 60;  // that the clocks may differ

std::optional<std::string> base64url_decode(std::string_view text) {
  std::string standard(text);
  std::replace(standard.begin(), standard.end(), '-', '+');
  std::replace(standard.begin(), standard.end(), '_', '/');
  return base64_decode(standard);
}

std::optional<json::object> part_of(std::string_view text) {
  const auto decoded = base64url_decode(text);
  if (!decoded) return std::nullopt;
  auto value = parse_json(*decoded);
  if (!value || !value->is_object()) return std::nullopt;
  return std::move(value->get_object());
}

// One element in DER (X.690): tag, length, content.
std::string der(char tag, std::string_view content) {
  std::string element(1, tag);
  if (content.size() < 128) {
    element += static_cast<char>(content.size());
  } else {
    element += '\x82';
    element += static_cast<char>(content.size() >> 8);
    element += static_cast<char>(content.size() & 255);
  }
  return element.append(content);
}

std::string der_integer(std::string number) {
  while (number.size() > 1 && number.front() == '\0') number.erase(0, 1);
  if (!number.empty() && (number.front() & '\x80')) number.insert(number.begin(), '\0');
  return der('\x02', number);
}

// An RSAPublicKey (RFC 8017, A.1.1) of a web key.
std::optional<PublicKey> rsa_key(const json::object& key) {
  const auto modulus = base64url_decode(text_of(key, "n")), exponent = base64url_decode(text_of(key, "e"));
  if (text_of(key, "kty") != "RSA" || !modulus || !exponent || modulus->empty() || exponent->empty())
    return std::nullopt;
  auto parsed = PublicKey::parse_der(der('\x30', der_integer(*modulus) + der_integer(*exponent)));
  return parsed ? std::optional(*std::move(parsed)) : std::nullopt;
}

std::int64_t number_of(const json::object& claims, std::string_view name, std::int64_t otherwise) {
  const auto* found = claims.if_contains(name);
  return found != nullptr && found->is_int64() ? found->get_int64() : otherwise;
}

bool is_for(const json::object& claims, const RegistryHook& hook, WallTime now) {
  const auto issuer = text_of(claims, "iss");
  const auto* verified = claims.if_contains("email_verified");
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  return text_of(claims, "aud") == hook.audience &&
         (issuer == "accounts.google.com" || issuer == "https://accounts.google.com") &&
         text_of(claims, "email") == hook.service_account && verified != nullptr && verified->is_bool() &&
         verified->get_bool() && seconds <= number_of(claims, "exp", 0) + kClockLeewaySeconds &&
         number_of(claims, "iat", seconds) <= seconds + kClockLeewaySeconds;
}

const std::string& place_of(const RegistryHook& hook) { return hook.jwks_url.empty() ? hook.jwks_file : hook.jwks_url; }

}  // namespace

std::map<std::string, PublicKey> parse_key_set(std::string_view text) {
  std::map<std::string, PublicKey> keys;
  const auto set = parse_json(text);
  const auto* list = set && set->is_object() ? array_of(set->get_object(), "keys") : nullptr;
  if (list == nullptr) return keys;
  for (const auto& item : *list)
    if (const auto* object = item.if_object())
      if (auto key = rsa_key(*object)) keys.emplace(text_of(*object, "kid"), *std::move(key));
  return keys;
}

GoogleTokens::GoogleTokens(const std::vector<RegistryHook>& hooks, HttpTransport& transport, const Clock& clock,
                           Log log)
    : transport_(transport), clock_(clock), log_(std::move(log)) {
  for (const auto& hook : hooks) {
    if (!hook.jwks_url.empty() && std::find(urls_.begin(), urls_.end(), hook.jwks_url) == urls_.end())
      urls_.push_back(hook.jwks_url);
    if (hook.jwks_file.empty()) continue;
    const auto text = read_file(hook.jwks_file, kKeySetBytesMax);
    read_keys(hook.jwks_file, text ? *text : "");
  }
  if (!urls_.empty()) fetcher_ = std::jthread([this](std::stop_token stop) { fetch_until(std::move(stop)); });
}

GoogleTokens::~GoogleTokens() = default;

void GoogleTokens::read_keys(const std::string& place, std::string_view text) {
  auto keys = parse_key_set(text);
  if (keys.empty()) return log_.error("no key to judge Google's tokens by", {{"from", place}});
  const std::lock_guard lock(mutex_);
  keys_[place] = std::move(keys);
}

void GoogleTokens::fetch_until(std::stop_token stop) {
  while (!stop.stop_requested()) {
    for (const auto& url : urls_) recovered(log_, "fetching Google's keys", [&] { fetch(url, stop); });
    std::unique_lock lock(mutex_);
    wanted_.wait_for(lock, stop, kFetchPause, [] { return false; });  // whatever is wanted: not more often
    wanted_.wait_for(lock, stop, kFetchEvery, [this] { return is_wanted_; });
    is_wanted_ = false;
  }
}

void GoogleTokens::fetch(const std::string& url, const std::stop_token& stop) {
  HttpRequest request{.url = url};
  request.body_bytes_max = kKeySetBytesMax;
  const auto answer = transport_.send(request, Deadline::in(30s, stop));
  if (answer && answer->status == 200) return read_keys(url, answer->body);
  log_.error("keys to judge Google's tokens by were not fetched",
             {{"from", url}, {"error", answer ? "status " + std::to_string(answer->status) : answer.error().message}});
}

const PublicKey* GoogleTokens::key_of(const std::string& place, const std::string& id) {
  const auto& keys = keys_[place];
  const auto found = keys.find(id);
  if (found != keys.end()) return &found->second;
  is_wanted_ = true;
  wanted_.notify_all();
  return nullptr;
}

bool GoogleTokens::accepts(std::string_view token, const RegistryHook& hook) {
  if (token.size() > kTokenBytesMax) return false;
  const auto parts = split(token, '.');
  if (parts.size() != 3) return false;
  const auto head = part_of(parts[0]), claims = part_of(parts[1]);
  const auto signature = base64url_decode(parts[2]);
  if (!head || !claims || !signature || text_of(*head, "alg") != "RS256") return false;
  const std::lock_guard lock(mutex_);
  const auto* key = key_of(place_of(hook), std::string(text_of(*head, "kid")));
  const auto signed_text = token.substr(0, parts[0].size() + 1 + parts[1].size());
  // RS256 is RSA with PKCS #1 v1.5 padding over SHA-256, which for an RSA key is the form of log records.
  return key != nullptr && key->verifies(signed_text, *signature, SignedForm::log_record) &&
         is_for(*claims, hook, clock_.now());
}

}  // namespace windlass
