// Requests to registries: which scheme, whose credentials, where a redirect may lead, when to ask again (oci 3.1, 3.4).
//
// Scheme, challenge and token of a registry are learnt by its answers and remembered, so that a request to a registry
// that is known costs one round trip.
//
// Not here: what the answers mean (registry.cc).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "oci/auth_challenge.h"
#include "oci/credentials.h"
#include "oci/registry.h"
#include "sys/http_client.h"
#include "sys/url.h"

namespace windlass {

class RegistryAccess {
 public:
  RegistryAccess(RegistryOptions options, HttpTransport& transport, CredentialSource& credentials, Log log);

  struct Ask {
    std::string method = "GET";
    std::string path;  // "/v2/…"; or the Location of an upload, which may be at another host
    std::vector<HttpHeader> headers;
    std::string body;
    UploadBody upload;           // instead of `body`
    bool pushes = false;         // the token must allow to push
    bool is_asked_again = true;  // after a fault that passes; false: its caller begins with something else anew
    std::uint64_t body_bytes_max = 64 << 10;
    bool once = false;  // not asked again here: any status is a good result
    HeadCheck wants;    // of a streamed answer, with `sink`
    BodySink sink;
  };
  // Any status that does not pass by asking again is a good result.
  Result<HttpResponse> ask(const Reference& reference, const Ask& ask, const Deadline& deadline);

  // "GET https://ghcr.io/v2/a/manifests/1: 403 DENIED: …" with the kind that fits the status.
  Error error_of(const Reference& reference, const Ask& ask, const HttpResponse& response);

 private:
  struct Token {
    std::string text;
    std::chrono::steady_clock::time_point expires;
  };
  // What is known of one registry.
  struct Known {
    std::string scheme;  // "" until it has answered
    bool has_checked_certificate = true;
    std::optional<AuthChallenge> challenge;
    std::chrono::steady_clock::time_point challenge_expires;
    std::map<std::string, Token> tokens;  // by repository and whether they allow to push
    std::optional<bool> is_private;
    bool has_warned = false;
  };
  // One request with all that is settled about it.
  struct Round {
    const Reference& reference;
    const Ask& ask;
    const Deadline& deadline;
    Url url;    // of the registry
    Url asked;  // what is asked for: mostly there
    bool checks_certificate;
  };

  Known known(const Reference& reference);
  template <class Change>
  void learn(const Reference& reference, Change change);

  bool is_listed_insecure(const std::string& host_port) const;
  Status settle_scheme(const Reference& reference, const Deadline& deadline);
  Result<HttpResponse> ping(const Reference& reference, const std::string& scheme, bool checks_certificate,
                            std::chrono::milliseconds connect_timeout, const Deadline& deadline);
  static Result<Url> url_of(const Reference& reference, const std::string& scheme, const std::string& path);
  Result<HttpResponse> ask_once(const Reference& reference, const Ask& ask, const Deadline& deadline);
  Result<HttpResponse> follow(const Round& round, const std::string& authorization);
  Result<HttpResponse> send(const Round& round, const HttpRequest& request, bool is_elsewhere);
  bool is_private(const Round& round);

  static std::string token_name(const Round& round);
  // The header value to send, "" for none. `challenge` is what the last answer asked for, if it did.
  Result<std::string> authorization(const Round& round, const std::optional<AuthChallenge>& challenge);
  Result<Credential> credential(const Round& round, const Url& receiver);
  Result<std::string> fetch_token(const Round& round, const AuthChallenge& challenge);
  Status check_realm(const Round& round, const Url& realm) const;

  RegistryOptions options_;
  HttpTransport& transport_;
  CredentialSource& credentials_;
  Log log_;
  std::mutex mutex_;
  std::map<std::string, Known> known_;  // by registry
};

}  // namespace windlass
