#include "secrets/infisical.h"

#include <fmt/format.h>

#include "base/text.h"
#include "secrets/login_token.h"
#include "sys/query.h"

namespace windlass {
namespace {

struct KeyReference {
  std::string project, environment, path, key;
};

tl::unexpected<Error> odd_reference(std::string_view reference) {
  return fail(Kind::invalid, fmt::format("invalid secret reference \"{}\": expected format "
                                         "'projectId:env:[/some/path/]key'",
                                         printable(reference, 200)));
}

// V3.2: "projectId:env:[/path/]key"; without a path the key is at the top.
Result<KeyReference> parse_reference(std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() != 3 || parts[0].empty() || parts[1].empty()) return odd_reference(text);
  const auto place = parts[2];
  const auto slash = place.rfind('/');
  const auto key = slash == place.npos ? place : place.substr(slash + 1);
  auto path = slash == place.npos ? std::string() : std::string(place.substr(0, slash));
  if (key.empty() || path.ends_with('/') || path.find("//") != path.npos || has_dot_segment(key))
    return odd_reference(text);
  if (!path.starts_with('/')) path = fmt::format("/{}", path);
  return KeyReference{std::string(parts[0]), std::string(parts[1]), std::move(path), std::string(key)};
}

class Infisical final : public SecretProvider {
 public:
  Infisical(InfisicalSettings settings, SecretHttp http, const Clock& clock)
      : settings_(std::move(settings)), http_(http), token_(clock) {}

  std::vector<Result<Secret>> fetch(const std::vector<std::string>& references, const Deadline& deadline) override {
    return for_each_reference(references, [&](const std::string& reference) { return fetch(reference, deadline); });
  }

 private:
  Result<Secret> fetch(const std::string& reference, const Deadline& deadline) {
    const auto parsed = parse_reference(reference);
    if (!parsed) return tl::unexpected(parsed.error());
    HttpRequest request{.url = fmt::format("{}/v3/secrets/raw/{}?workspaceId={}&environment={}&secretPath={}"
                                           "&expandSecretReferences=true&include_imports=true&type=shared",
                                           settings_.api_url, url_encode(parsed->key), url_encode(parsed->project),
                                           url_encode(parsed->environment), url_encode(parsed->path)),
                        .headers = {{"Accept", "application/json"}}};
    const auto response = token_.with([&] { return login(deadline); },
                                      [&](const Secret& token) {
                                        auto call = request;
                                        call.headers.push_back({"Authorization", "Bearer " + token.reveal()});
                                        return http_.ask(std::move(call), deadline);
                                      });
    const auto answer = json_answer(request, response);
    if (!answer) return tl::unexpected(answer.error());
    const auto* secret = answer->is_object() ? object_of(answer->get_object(), "secret") : nullptr;
    const auto* value = secret == nullptr ? nullptr : secret->if_contains("secretValue");
    if (value == nullptr || !value->is_string()) return fail(Kind::invalid, "the answer holds no secretValue");
    return Secret(std::string(value->get_string()));
  }

  Result<LoginToken::Token> login(const Deadline& deadline) const {
    const json::object content = {{"clientId", settings_.client_id},
                                  {"clientSecret", settings_.client_secret.reveal()}};
    const auto answer =
        http_.ask_json({.method = "POST",
                        .url = settings_.api_url + "/v1/auth/universal-auth/login",
                        .headers = {{"Accept", "application/json"}, {"Content-Type", "application/json"}},
                        .body = json::serialize(content)},
                       deadline);
    if (!answer) return tl::unexpected(answer.error());
    const auto* object = answer->if_object();
    const auto token = object == nullptr ? std::string_view() : text_of(*object, "accessToken");
    if (token.empty()) return fail(Kind::invalid, "the answer holds no accessToken");
    return LoginToken::Token{Secret(std::string(token)), std::chrono::seconds(number_of(*object, "expiresIn", 0))};
  }

  const InfisicalSettings settings_;
  const SecretHttp http_;
  LoginToken token_;
};

}  // namespace

std::unique_ptr<SecretProvider> make_infisical(const InfisicalSettings& settings, SecretHttp http, const Clock& clock) {
  return std::make_unique<Infisical>(settings, http, clock);
}

}  // namespace windlass
