// Asking a token service for a bearer token (distribution token specification; oci 3.1).
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "oci/auth_challenge.h"
#include "oci/credentials.h"
#include "sys/http_client.h"
#include "sys/url.h"

namespace windlass {

struct TokenAnswer {
  std::string token;
  std::chrono::seconds valid_for{60};
};

// The scopes to ask for: those of the challenge in front of our own, each once.
std::vector<std::string> scopes_for(std::string_view repository, std::string_view actions,
                                    const AuthChallenge& challenge);

// GET with user and password if there are any, else anonymous.
HttpRequest token_request(const Url& realm, const AuthChallenge& challenge, const std::vector<std::string>& scopes,
                          const Credential& credential);
// POST, with an identity token only.
HttpRequest refresh_request(const Url& realm, const AuthChallenge& challenge, const std::vector<std::string>& scopes,
                            const IdentityToken& identity);

Result<TokenAnswer> parse_token_answer(std::string_view body);

// "Basic dXNlcjpwYXNz"
std::string basic_authorization(const BasicCredential& credential);

}  // namespace windlass
