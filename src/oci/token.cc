#include "oci/token.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "sys/crypto.h"
#include "sys/json.h"
#include "sys/query.h"

namespace windlass {
namespace {

constexpr std::size_t kAnswerBytesMax = 64 << 10;
constexpr std::chrono::seconds kMargin{10};  // a token must not run out on its way

void add_field(std::string& form, std::string_view name, std::string_view value) {
  form += fmt::format("{}{}={}", form.empty() ? "" : "&", name, url_encode(value));
}

}  // namespace

std::vector<std::string> scopes_for(std::string_view repository, std::string_view actions,
                                    const AuthChallenge& challenge) {
  const std::string own = fmt::format("repository:{}:{}", repository, actions);
  std::vector<std::string> scopes;
  const auto add = [&](std::string_view scope) {
    if (!scope.empty() && std::find(scopes.begin(), scopes.end(), scope) == scopes.end()) scopes.emplace_back(scope);
  };
  for (const auto scope : split(challenge.scope, ' ')) add(scope);
  add(own);
  return scopes;
}

HttpRequest token_request(const Url& realm, const AuthChallenge& challenge, const std::vector<std::string>& scopes,
                          const Credential& credential) {
  auto url = realm;
  for (const auto& scope : scopes) add_field(url.query, "scope", scope);
  if (!challenge.service.empty()) add_field(url.query, "service", challenge.service);
  HttpRequest request{.url = url.str(), .body_bytes_max = kAnswerBytesMax};
  if (const auto* basic = std::get_if<BasicCredential>(&credential))
    request.headers.push_back({"Authorization", basic_authorization(*basic)});
  return request;
}

HttpRequest refresh_request(const Url& realm, const AuthChallenge& challenge, const std::vector<std::string>& scopes,
                            const IdentityToken& identity) {
  HttpRequest request{.method = "POST", .url = realm.str(), .body_bytes_max = kAnswerBytesMax};
  request.headers.push_back({"Content-Type", "application/x-www-form-urlencoded"});
  add_field(request.body, "grant_type", "refresh_token");
  add_field(request.body, "refresh_token", identity.token.reveal());
  add_field(request.body, "service", challenge.service);
  add_field(request.body, "scope", join(scopes, " "));
  add_field(request.body, "client_id", "windlass");
  return request;
}

Result<TokenAnswer> parse_token_answer(std::string_view body) {
  const auto value = parse_json(body);
  const auto* object = value ? value->if_object() : nullptr;
  if (!object) return fail(Kind::invalid, "token answer is not a JSON object");
  auto token = text_of(*object, "access_token");
  if (token.empty()) token = text_of(*object, "token");
  if (token.empty()) return fail(Kind::invalid, "token answer holds no token");
  const auto fits_a_header = [](unsigned char c) { return c > 0x20 && c < 0x7F; };
  if (!std::all_of(token.begin(), token.end(), fits_a_header))
    return fail(Kind::invalid, "token answer holds a token that fits no header");
  TokenAnswer answer{.token = std::string(token)};
  if (const auto* seconds = object->if_contains("expires_in");
      seconds && seconds->is_int64() && seconds->get_int64() > 0)
    answer.valid_for = std::chrono::seconds(std::min<std::int64_t>(seconds->get_int64(), 86'400));
  answer.valid_for = std::max(answer.valid_for - kMargin, std::chrono::seconds(0));
  return answer;
}

std::string basic_authorization(const BasicCredential& credential) {
  return "Basic " + base64_encode(credential.user + ":" + credential.password.reveal());
}

}  // namespace windlass
