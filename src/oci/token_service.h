// The dialogue with a token service: where it may be, and what it is asked (distribution token specification; oci 3.1).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "oci/token.h"

namespace windlass {

// What a token is wanted for.
struct TokenWish {
  Url asker;  // who named the token service: the registry, or where it redirected to
  AuthChallenge challenge;
  std::vector<std::string> scopes;
  Credential credential;
  std::string registry;  // whose login is advised about after a refusal; "": nobody's would help
};

// The realm of the challenge as a URL that may be asked: https, or http if the asker itself is; at no link-local
// address, and at no loopback or private one but the asker's own. Kind::invalid or Kind::denied.
Result<Url> realm_of(const TokenWish& wish);

// Sends to a URL that has passed the check.
using SendToken = std::function<Result<HttpResponse>(const HttpRequest& request, const Url& url)>;

// POST with an identity token, GET otherwise and where POST is unknown. Redirects are judged like the realm, and what
// leaves its host takes no password along.
Result<TokenAnswer> ask_for_token(const TokenWish& wish, const SendToken& send);

}  // namespace windlass
