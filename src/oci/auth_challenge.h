// What a registry answers to a request without the right credentials: WWW-Authenticate (RFC 9110, 11.6.1; oci 3.1).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sys/http_client.h"

namespace windlass {

struct AuthChallenge {
  enum class Scheme { basic, bearer };
  Scheme scheme = Scheme::basic;
  std::string realm, service, scope;
};

// The first Basic or Bearer challenge of the answer's headers; nothing if there is none.
std::optional<AuthChallenge> challenge_of(const HttpResponse& response);

// The same of one header value, which may hold several challenges.
std::optional<AuthChallenge> parse_challenge(std::string_view value);

}  // namespace windlass
