#include "oci/token_service.h"

#include <fmt/format.h>

#include "oci/registry_answer.h"
#include "sys/address.h"

namespace windlass {
namespace {

constexpr int kRedirectsMax = 10;

Status check_place(const Url& asker, const Url& service) {
  const auto refuse = [&](std::string_view why) {
    return fail(Kind::denied, fmt::format("token service {} {}", service.shown(), why));
  };
  if (service.scheme == "http" && asker.scheme != "http") return refuse("is on plain HTTP");
  const auto scope = scope_of_literal(service.host);
  if (scope == AddressScope::link_local) return refuse("is at a link-local address");
  if (scope && *scope != AddressScope::open && service.host_port() != asker.host_port())
    return refuse("is at a private address other than the registry's");
  return {};
}

HttpRequest first_request(const TokenWish& wish, const Url& realm) {
  const auto* identity = std::get_if<IdentityToken>(&wish.credential);
  return identity ? refresh_request(realm, wish.challenge, wish.scopes, *identity)
                  : token_request(realm, wish.challenge, wish.scopes, wish.credential);
}

Error refusal(const TokenWish& wish, const std::string& method, const Url& realm, const HttpResponse& response) {
  auto error = status_error(method, realm, response);
  const bool is_about_login = response.status == 401 || response.status == 403;
  if (is_about_login && !wish.registry.empty()) error.message += login_advice(wish.registry, wish.credential);
  return error;
}

}  // namespace

Result<Url> realm_of(const TokenWish& wish) {
  auto realm = parse_url(wish.challenge.realm);
  if (!realm) return while_doing(fmt::format("token service of {}", wish.asker.host), realm.error());
  if (auto good = check_place(wish.asker, *realm); !good) return tl::unexpected(good.error());
  return realm;
}

Result<TokenAnswer> ask_for_token(const TokenWish& wish, const SendToken& send) {
  const auto realm = realm_of(wish);
  if (!realm) return tl::unexpected(realm.error());
  auto request = first_request(wish, *realm);
  auto url = *realm;
  for (int redirects = 0;;) {
    auto response = send(request, url);
    if (!response) return tl::unexpected(response.error());
    hide_credentials(request, *response);
    if (response->status == 404 && request.method == "POST") {  // an old token service
      request = token_request(*realm, wish.challenge, wish.scopes, Credential());
      continue;
    }
    if (response->status == 200) {
      auto answer = parse_token_answer(response->body);
      return answer ? answer
                    : while_doing(fmt::format("{} {}", request.method, realm->shown()), std::move(answer.error()));
    }
    if (!is_redirect(response->status)) return tl::unexpected(refusal(wish, request.method, *realm, *response));
    const auto next = resolve_url(url, response->header("Location"));
    if (!next || ++redirects > kRedirectsMax || request.method != "GET")
      return fail(Kind::invalid, fmt::format("token service {} redirects too often or to nowhere", realm->shown()));
    if (auto good = check_place(wish.asker, *next); !good) return tl::unexpected(good.error());
    if (next->host_port() != url.host_port()) request.headers.clear();
    url = *next;
    request.url = url.str();
  }
}

}  // namespace windlass
