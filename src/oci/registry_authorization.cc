#include "oci/registry_authorization.h"

#include <utility>

#include "base/text.h"
#include "sys/address.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

constexpr auto kChallengeLife = 24h;

std::string token_name(const RegistryAuthorization::Request& request) {
  return request.reference.repository() + (request.pushes ? " push" : "");
}

}  // namespace

Result<std::string> RegistryAuthorization::header_for(const Request& request,
                                                      const std::optional<AuthChallenge>& challenge,
                                                      const SendToken& send) {
  const auto applies = current_challenge(challenge);
  if (!applies) return std::string();
  if (applies->scheme == AuthChallenge::Scheme::basic) {
    auto found = credential_for(request, request.registry);
    if (!found) return tl::unexpected(found.error());
    const auto* basic = std::get_if<BasicCredential>(&*found);
    return basic ? basic_authorization(*basic) : std::string();
  }
  if (!challenge)
    if (const auto kept = kept_token(token_name(request))) return "Bearer " + *kept;
  const auto token = fresh_token(request, *applies, send);
  if (token) return "Bearer " + *token;
  // What the registry wanted of another repository need not be what it wants of this one: it is to say so itself.
  if (!challenge && token.error().kind != Kind::unavailable) return std::string();
  return tl::unexpected(token.error());
}

Result<std::string> RegistryAuthorization::anonymous_header(const Url& host, const AuthChallenge& challenge,
                                                            const SendToken& send) {
  if (challenge.scheme != AuthChallenge::Scheme::bearer) return std::string();
  TokenWish wish{.asker = host, .challenge = challenge};
  for (const auto scope : split(challenge.scope, ' '))
    if (!scope.empty()) wish.scopes.emplace_back(scope);
  const auto answer = ask_for_token(wish, send);
  if (!answer) return tl::unexpected(answer.error());
  return "Bearer " + answer->token;
}

// The scope of a challenge is about the one repository that was asked for; the rest is remembered for all of them.
std::optional<AuthChallenge> RegistryAuthorization::current_challenge(const std::optional<AuthChallenge>& fresh) {
  const auto now = clock_.steady_now();
  const std::lock_guard lock(mutex_);
  if (fresh) {
    challenge_ = fresh;
    challenge_->scope.clear();
    challenge_expires_ = now + kChallengeLife;
    return fresh;
  }
  return challenge_ && now < challenge_expires_ ? challenge_ : std::nullopt;
}

std::optional<std::string> RegistryAuthorization::kept_token(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto token = tokens_.find(name);
  if (token == tokens_.end() || clock_.steady_now() >= token->second.expires) return std::nullopt;
  return token->second.text;
}

Result<std::string> RegistryAuthorization::fresh_token(const Request& request, const AuthChallenge& challenge,
                                                       const SendToken& send) {
  TokenWish wish{
      .asker = request.registry,
      .challenge = challenge,
      .scopes = scopes_for(request.reference.repository(), request.pushes ? "pull,push" : "pull", challenge)};
  const auto realm = realm_of(wish);
  if (!realm) return tl::unexpected(realm.error());
  auto found = credential_for(request, *realm);
  if (!found) return tl::unexpected(found.error());
  if (const auto* token = std::get_if<RegistryToken>(&*found)) return token->token.reveal();
  wish.credential = std::move(*found);
  // Where they would be withheld, docker login does not help: credential_for() warns of that.
  if (may_have_credentials(request.registry, *realm)) wish.registry = request.reference.registry();
  const auto answer = ask_for_token(wish, send);
  if (!answer) return tl::unexpected(answer.error());
  const auto now = clock_.steady_now();
  const std::lock_guard lock(mutex_);
  std::erase_if(tokens_, [&](const auto& token) { return token.second.expires <= now; });
  tokens_[token_name(request)] = {answer->token, now + answer->valid_for};
  return answer->token;
}

// reliability/P20: over plain HTTP credentials go to loopback and to listed hosts only. Whoever is on the way to a
// registry without TLS may name any token service in its place: of what a listed one names only its own host is asked
// with credentials.
bool RegistryAuthorization::may_have_credentials(const Url& registry, const Url& receiver) const {
  if (registry.scheme == "https") return receiver.scheme == "https";
  if (is_loopback_host(registry.host)) return receiver.scheme == "https" || is_loopback_host(receiver.host);
  return may_speak_plainly_ && receiver.host == registry.host;
}

Result<Credential> RegistryAuthorization::credential_for(const Request& request, const Url& receiver) {
  auto found = credentials_.find(request.reference, request.deadline);
  if (!found || std::holds_alternative<std::monostate>(*found)) return found;
  if (may_have_credentials(request.registry, receiver)) return found;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(has_warned_, true)) return Credential();
  }
  log_.warning(
      may_speak_plainly_
          ? "credentials are not sent to another host that a registry on plain HTTP names"
          : "credentials are not sent over plain HTTP: list the registry in OCI_INSECURE_REGISTRIES to allow it",
      {{"registry", request.reference.registry()}, {"receiver", receiver.host_port()}});
  return Credential();
}

}  // namespace windlass
