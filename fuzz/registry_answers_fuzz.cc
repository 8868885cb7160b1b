// What a registry and its token service say: the first line is WWW-Authenticate, the rest a token answer (oci 3.1).
#include <algorithm>

#include "fuzz/fuzz.h"
#include "oci/token.h"
#include "sys/url.h"

namespace windlass {
namespace {

void check_requests(const AuthChallenge& challenge) {
  const auto scopes = scopes_for("my/app", "pull", challenge);
  require(std::count(scopes.begin(), scopes.end(), "repository:my/app:pull") == 1, "our own scope, once");
  const auto realm = parse_url(challenge.realm);
  if (!realm) return require_printable(realm.error().message);
  const auto request = token_request(*realm, challenge, scopes, BasicCredential{"user", Secret("password")});
  require(request.headers.size() == 1 && request.headers[0].name == "Authorization", "credentials go in their header");
  const auto sent = parse_url(request.url);
  require(sent.has_value(), "the request has a proper URL");
  require(sent->host_port() == realm->host_port() && sent->scheme == realm->scheme && sent->path == realm->path,
          "service and scope change nothing but the query");
}

void check_answer(std::string_view body) {
  const auto answer = parse_token_answer(body);
  if (!answer) return require_printable(answer.error().message);
  require(!answer->token.empty(), "an answer has a token");
  require(std::all_of(answer->token.begin(), answer->token.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; }),
          "a token fits a header");
  require(answer->valid_for.count() >= 0 && answer->valid_for <= std::chrono::hours(24), "for a day at most");
}

}  // namespace

void fuzz(std::string_view input) {
  const auto header = input.substr(0, input.find('\n'));
  if (const auto challenge = parse_challenge(header)) check_requests(*challenge);
  check_answer(input.substr(std::min(header.size() + 1, input.size())));
}

}  // namespace windlass
