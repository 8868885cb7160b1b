#include "oci/registry_answer.h"

#include <fmt/format.h>

#include "base/text.h"
#include "sys/crypto.h"
#include "sys/http_retry.h"
#include "sys/json.h"
#include "sys/query.h"

namespace windlass {
namespace {

constexpr std::size_t kSecretBytesMin = 4;  // less would hide ordinary words

// What a registry says of itself in {"errors":[{"code":…,"message":…}]}.
struct RegistryWords {
  std::string code, message;
};

// The first error; nothing for any other body: it is not a registry's (T6).
RegistryWords words_in(std::string_view body) {
  const auto value = parse_json(body);
  const auto* object = value ? value->if_object() : nullptr;
  const auto* errors = object ? array_of(*object, "errors") : nullptr;
  if (!errors || errors->empty() || !errors->front().is_object()) return {};
  const auto& first = errors->front().get_object();
  return {printable(text_of(first, "code"), 64), printable(text_of(first, "message"), 256)};
}

Kind kind_of(int status) {
  if (status == 401 || status == 403) return Kind::denied;
  if (status == 404) return Kind::not_found;
  return status >= 500 || is_worth_a_retry(status) ? Kind::unavailable : Kind::invalid;
}

// What a request proves itself with, in every form in which it may come back.
std::vector<std::string> secrets_in(const HttpRequest& request) {
  std::vector<std::string> secrets;
  for (const auto& header : request.headers) {
    if (lower(header.name) != "authorization") continue;
    const auto blank = header.value.find(' ');
    const auto proof = blank == header.value.npos ? header.value : header.value.substr(blank + 1);
    secrets.push_back(proof);
    if (const auto pair = base64_decode(proof); pair && lower(header.value).starts_with("basic "))
      secrets.push_back(pair->substr(pair->find(':') + 1));
  }
  for (const auto* field : {"password", "refresh_token"})
    if (auto value = query_value(request.body, field)) secrets.push_back(std::move(*value));
  std::erase_if(secrets, [](const std::string& secret) { return secret.size() < kSecretBytesMin; });
  return secrets;
}

}  // namespace

void hide_credentials(const HttpRequest& request, HttpResponse& response) {
  if (response.status < 400) return;
  for (const auto& secret : secrets_in(request))
    for (auto at = response.body.find(secret); at != response.body.npos; at = response.body.find(secret, at + 3))
      response.body.replace(at, secret.size(), "***");
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Error status_error(std::string_view method, const Url& url, const HttpResponse& response) {
  const auto [code, message] = words_in(response.body);
  const auto said = code + (code.empty() || message.empty() ? "" : ": ") + message;
  return {kind_of(response.status),
          fmt::format("{} {}: {}{}{}", method, url.shown(), response.status, said.empty() ? "" : " ", said)};
}

bool knows_no_repository(const HttpResponse& response) {
  return response.status == 404 && words_in(response.body).code == "NAME_UNKNOWN";
}

}  // namespace windlass
