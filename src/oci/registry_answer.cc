#include "oci/registry_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "sys/crypto.h"
#include "sys/http_retry.h"
#include "sys/json.h"
#include "sys/query.h"

namespace windlass {
namespace {

constexpr std::size_t kSecretBytesMin = 4;  // less would hide ordinary words
constexpr std::size_t kErrorsShown = 3;

// One of the errors in which a registry says {"errors":[{"code":…,"message":…,"detail":…}]}.
struct RegistryError {
  std::string code, message, detail;

  // "DENIED: not for you (detail)", of which any part may be missing.
  std::string str() const {
    const auto said = code + (code.empty() || message.empty() ? "" : ": ") + message;
    if (detail.empty()) return said;
    return said.empty() ? detail : fmt::format("{} ({})", said, detail);
  }
};

// What a "?" begins may be the signature of a URL, which gives access to whoever reads it.
std::string without_queries(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const auto mark = std::min(text.find('?'), text.size() - 1) + 1;
    shown += text.substr(0, mark);
    text.remove_prefix(mark);
    const auto end = shown.back() == '?' ? std::min(text.find_first_of(" \t\r\n\"'`<>()\\"), text.size()) : 0;
    if (end > 0) shown += "***";
    text.remove_prefix(end);
  }
  return shown;
}

std::string shown_detail(const json::object& error) {
  const auto* detail = error.if_contains("detail");
  if (!detail || detail->is_null()) return "";
  if (const auto* text = detail->if_string()) return printable(without_queries(*text), 256);
  const bool is_empty =
      (detail->is_object() && detail->get_object().empty()) || (detail->is_array() && detail->get_array().empty());
  return is_empty ? "" : printable(without_queries(json::serialize(*detail)), 256);
}

// Nothing for any other body: it is not a registry's (T6).
std::vector<RegistryError> errors_in(std::string_view body) {
  const auto value = parse_json(body);
  const auto* object = value ? value->if_object() : nullptr;
  const auto* errors = object ? array_of(*object, "errors") : nullptr;
  std::vector<RegistryError> found;
  if (!errors) return found;
  for (const auto& each : *errors) {
    if (found.size() == kErrorsShown) break;
    if (const auto* error = each.if_object())
      found.push_back({.code = printable(text_of(*error, "code"), 64),
                       .message = printable(without_queries(text_of(*error, "message")), 256),
                       .detail = shown_detail(*error)});
  }
  return found;
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
    if (!same_name(header.name, "Authorization")) continue;
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
  std::string said;
  for (const auto& error : errors_in(response.body))
    if (const auto words = error.str(); !words.empty()) said += (said.empty() ? "" : "; ") + words;
  return {kind_of(response.status),
          fmt::format("{} {}: {}{}{}", method, url.shown(), response.status, said.empty() ? "" : " ", said)};
}

std::string login_advice(std::string_view registry, const Credential& credential) {
  if (std::holds_alternative<std::monostate>(credential))
    return fmt::format("; no credentials for {0} are known: docker login {0}, or DOCKER_AUTH_CONFIG", registry);
  return fmt::format(
      "; the credentials known for {}, of DOCKER_AUTH_CONFIG, the Docker config file or its helper, did not suffice",
      registry);
}

bool knows_no_repository(const HttpResponse& response) {
  const auto errors = response.status == 404 ? errors_in(response.body) : std::vector<RegistryError>();
  return !errors.empty() && errors.front().code == "NAME_UNKNOWN";
}

}  // namespace windlass
