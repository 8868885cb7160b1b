// What one registry wants to see in "Authorization": its challenge, our credentials, tokens while they last (oci 3.1).
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "oci/auth_challenge.h"
#include "oci/credentials.h"
#include "oci/token_service.h"

namespace windlass {

class RegistryAuthorization {
 public:
  // `may_speak_plainly`: the registry gets credentials over plain HTTP too, at whatever address (reliability/P20).
  RegistryAuthorization(bool may_speak_plainly, CredentialSource& credentials, const Clock& clock, Log log)
      : may_speak_plainly_(may_speak_plainly), credentials_(credentials), clock_(clock), log_(std::move(log)) {}

  struct Request {
    const Reference& reference;
    const Url& registry;
    bool pushes;
    const Deadline& deadline;
  };
  // The value to send, "" for none. `challenge` is what the last answer asked for, if it did; all but its scope is kept
  // for a day and for the whole registry. "" also where a token is refused that was asked for by what is kept: the
  // answer to the bare request says what counts for this repository.
  Result<std::string> header_for(const Request& request, const std::optional<AuthChallenge>& challenge,
                                 const SendToken& send);

  // The same for a host that a registry redirects to: nobody's credentials are sent there, "" unless it wants a token.
  static Result<std::string> anonymous_header(const Url& host, const AuthChallenge& challenge, const SendToken& send);

 private:
  struct Token {
    std::string text;
    SteadyTime expires;
  };

  std::optional<AuthChallenge> current_challenge(const std::optional<AuthChallenge>& fresh);
  std::optional<std::string> kept_token(const std::string& name);
  Result<std::string> fresh_token(const Request& request, const AuthChallenge& challenge, const SendToken& send);
  bool may_have_credentials(const Url& registry, const Url& receiver) const;
  Result<Credential> credential_for(const Request& request, const Url& receiver);

  bool may_speak_plainly_;
  CredentialSource& credentials_;
  const Clock& clock_;
  Log log_;
  std::mutex mutex_;  // of what follows
  std::optional<AuthChallenge> challenge_;
  SteadyTime challenge_expires_;
  std::map<std::string, Token> tokens_;  // by repository and what they allow
  bool has_warned_ = false;
};

}  // namespace windlass
