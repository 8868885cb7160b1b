#include "oci/registry_access.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "oci/retry.h"
#include "oci/token.h"
#include "sys/address.h"
#include "sys/json.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

constexpr auto kFirstContact = 300ms;  // for TLS where plain HTTP is allowed too
constexpr auto kChallengeLife = 24h;
constexpr int kRedirectsMax = 10;

std::string host_of(std::string_view registry) {
  const auto from = registry.starts_with('[') ? registry.find(']') : 0;
  return std::string(registry.substr(0, registry.find(':', from)));
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host.ends_with(".localhost") || scope_of_literal(host) == AddressScope::loopback;
}

bool is_known_private(const std::string& host) {
  const auto scope = scope_of_literal(host);
  return is_loopback(host) || (scope && *scope != AddressScope::open);
}

bool may_speak_plain_http(const std::string& host) {
  return is_loopback(host) || scope_of_literal(host) == AddressScope::rfc1918;
}

// Not a word of 303 and its kin: what a registry wants to be uploaded somewhere else is not to become a GET.
bool keeps_the_method(int status) { return status == 307 || status == 308; }

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// "DENIED: requested access is denied" from {"errors":[…]}; "" for any other body: it is not a registry's (T6).
std::string registry_message(std::string_view body) {
  const auto value = parse_json(body);
  const auto* object = value ? value->if_object() : nullptr;
  const auto* errors = object ? array_of(*object, "errors") : nullptr;
  if (!errors || errors->empty() || !errors->front().is_object()) return {};
  const auto& first = errors->front().get_object();
  const auto code = printable(text_of(first, "code"), 64), message = printable(text_of(first, "message"), 256);
  return code + (code.empty() || message.empty() ? "" : ": ") + message;
}

Kind kind_of(int status) {
  if (status == 401 || status == 403) return Kind::denied;
  if (status == 404) return Kind::not_found;
  return status >= 500 || is_worth_a_retry(status) ? Kind::unavailable : Kind::invalid;
}

Error status_error(std::string_view method, const Url& url, const HttpResponse& response) {
  const auto said = registry_message(response.body);
  return {kind_of(response.status),
          fmt::format("{} {}: {}{}{}", method, url.shown(), response.status, said.empty() ? "" : " ", said)};
}

}  // namespace

RegistryAccess::RegistryAccess(RegistryOptions options, HttpTransport& transport, CredentialSource& credentials,
                               Log log)
    : options_(std::move(options)), transport_(transport), credentials_(credentials), log_(std::move(log)) {}

RegistryAccess::Known RegistryAccess::known(const Reference& reference) {
  const std::lock_guard lock(mutex_);
  return known_[reference.registry()];
}

template <class Change>
void RegistryAccess::learn(const Reference& reference, Change change) {
  const std::lock_guard lock(mutex_);
  change(known_[reference.registry()]);
}

bool RegistryAccess::is_listed_insecure(const std::string& registry) const {
  const auto& listed = options_.insecure_registries;
  return std::find(listed.begin(), listed.end(), registry) != listed.end();
}

Result<Url> RegistryAccess::url_of(const Reference& reference, const std::string& scheme, const std::string& path) {
  const auto registry = parse_url(fmt::format("{}://{}/", scheme, reference.registry()));
  return registry ? resolve_url(*registry, path) : registry;
}

Error RegistryAccess::error_of(const Reference& reference, const Ask& ask, const HttpResponse& response) {
  const auto url = url_of(reference, known(reference).scheme, ask.path);
  return url ? status_error(ask.method, *url, response) : url.error();
}

Result<HttpResponse> RegistryAccess::ask(const Reference& reference, const Ask& ask, const Deadline& deadline) {
  bool has_begun = false;  // a body that was begun is not asked for again here: resuming is the content store's
  auto watched = ask;
  if (ask.sink)
    watched.sink = [&](std::string_view bytes) {
      has_begun = true;
      return ask.sink(bytes);
    };
  for (int attempt = 1;; ++attempt) {
    auto response = ask_once(reference, watched, deadline);
    if (ask.once || (response && !is_worth_a_retry(response->status))) return response;
    const auto error = response ? error_of(reference, ask, *response) : response.error();
    if (error.kind != Kind::unavailable || has_begun || !ask.is_asked_again || attempt >= options_.attempts_max ||
        deadline.passed())
      return tl::unexpected(error);
    std::chrono::milliseconds wait = backoff(attempt - 1, options_.backoff_base, options_.backoff_max);
    if (response)
      if (const auto asked = parse_retry_after(response->header("Retry-After"), std::chrono::system_clock::now())) {
        if (*asked > kRetryAfterMax)
          return fail(Kind::unavailable, fmt::format("{}, to be asked again in {} s", error.message, asked->count()));
        wait = *asked;
      }
    log_.debug("asking the registry again", {{"error", error.message}, {"wait_ms", wait.count()}});
    if (!pause(wait, deadline)) return tl::unexpected(error);
  }
}

Result<HttpResponse> RegistryAccess::ask_once(const Reference& reference, const Ask& ask, const Deadline& deadline) {
  if (auto settled = settle_scheme(reference, deadline); !settled) return tl::unexpected(settled.error());
  const auto now_known = known(reference);
  const auto url = url_of(reference, now_known.scheme, "/");
  if (!url) return tl::unexpected(url.error());
  const auto asked = url_of(reference, now_known.scheme, ask.path);
  if (!asked) return while_doing(ask.method, asked.error());
  if (url->scheme == "https" && asked->scheme == "http")
    return fail(Kind::denied, fmt::format("{} {}: plain HTTP is not spoken to a registry that has HTTPS", ask.method,
                                          asked->shown()));
  const Round round{reference, ask, deadline, *url, *asked, now_known.has_checked_certificate};

  auto first = authorization(round, std::nullopt);
  if (!first) return tl::unexpected(first.error());
  auto response = follow(round, *first);
  if (!response && response.error().kind == Kind::unavailable)
    learn(reference, [](Known& known) { known.scheme.clear(); });  // it may speak the other one after a restart
  if (!response || response->status != 401) return response;

  const auto challenge = challenge_of(*response);
  if (!challenge) return response;
  learn(reference, [&](Known& known) {
    known.challenge = challenge;
    known.challenge_expires = SteadyClock::now() + kChallengeLife;
  });
  auto second = authorization(round, challenge);
  if (!second) return tl::unexpected(second.error());
  if (second->empty() || *second == *first) return response;
  return follow(round, *second);
}

Status RegistryAccess::settle_scheme(const Reference& reference, const Deadline& deadline) {
  if (!known(reference).scheme.empty()) return {};
  const bool is_listed = is_listed_insecure(reference.registry());
  const auto settle = [&](const char* scheme) {
    learn(reference, [&](Known& known) {
      known.scheme = scheme;
      known.has_checked_certificate = !is_listed;
    });
    return Status();
  };
  if (!is_listed && !may_speak_plain_http(host_of(reference.registry()))) return settle("https");

  const auto secure = ping(reference, "https", !is_listed, kFirstContact, deadline);
  if (secure) return settle("https");
  const auto plain = ping(reference, "http", true, HttpRequest().connect_timeout, deadline);
  if (plain && (plain->status == 200 || plain->status == 401)) return settle("http");
  if (plain && (plain->status >= 500 || is_worth_a_retry(plain->status)))
    return fail(Kind::unavailable, fmt::format("GET http://{}/v2/: {}", reference.registry(), plain->status));
  if (plain && plain->status != 400)  // 400: a TLS server that was spoken to in plain HTTP
    return fail(Kind::invalid,
                fmt::format("GET http://{}/v2/: {}: not an OCI registry", reference.registry(), plain->status));
  if (secure.error().kind != Kind::unavailable) return tl::unexpected(secure.error());
  const auto patient = ping(reference, "https", !is_listed, HttpRequest().connect_timeout, deadline);
  return patient ? settle("https") : tl::unexpected(patient.error());
}

Result<HttpResponse> RegistryAccess::ping(const Reference& reference, const std::string& scheme,
                                          bool checks_certificate, std::chrono::milliseconds connect_timeout,
                                          const Deadline& deadline) {
  HttpRequest request{.url = fmt::format("{}://{}/v2/", scheme, reference.registry()),
                      .tls = {.verify = checks_certificate},
                      .connect_timeout = connect_timeout,
                      .body_bytes_max = 64 << 10};
  return transport_.send(request, deadline);
}

// By hand: each step is judged anew, and credentials stay with the registry (reliability/F51, P20).
Result<HttpResponse> RegistryAccess::follow(const Round& round, const std::string& authorization) {
  const bool is_read = round.ask.method == "GET" || round.ask.method == "HEAD";
  auto url = round.asked;
  for (int redirects = 0;; ++redirects) {
    const bool is_elsewhere = url.host_port() != round.url.host_port();
    HttpRequest request{.method = round.ask.method,
                        .url = url.str(),
                        .headers = round.ask.headers,
                        .body = round.ask.body,
                        .upload = round.ask.upload,
                        .body_bytes_max = round.ask.body_bytes_max};
    if (!authorization.empty() && !is_elsewhere) request.headers.push_back({"Authorization", authorization});
    auto response = send(round, request, is_elsewhere);
    if (!response || !is_redirect(response->status)) return response;
    if (!is_read && !keeps_the_method(response->status)) return response;

    auto next = resolve_url(url, response->header("Location"));
    const auto refuse = [&](Kind kind, std::string_view why) {
      return fail(kind, fmt::format("{} {}: {}: {}", request.method, url.shown(), response->status, why));
    };
    if (!next) return refuse(Kind::invalid, "redirect without a usable location");
    if (url.scheme == "https" && next->scheme == "http") return refuse(Kind::denied, "redirect to plain HTTP refused");
    if (redirects == kRedirectsMax) return refuse(Kind::invalid, "more than 10 redirects");
    url = *next;
  }
}

Result<HttpResponse> RegistryAccess::send(const Round& round, const HttpRequest& request, bool is_elsewhere) {
  auto guarded = request;
  guarded.headers.push_back({"User-Agent", options_.user_agent});
  guarded.tls.verify = is_elsewhere || round.checks_certificate;
  guarded.refuse_private_addresses = is_elsewhere && !is_known_private(round.url.host);
  const auto transfer = [&] {
    const bool streams = static_cast<bool>(round.ask.sink);
    return streams ? transport_.stream(guarded, round.ask.wants, round.ask.sink, round.deadline)
                   : transport_.send(guarded, round.deadline);
  };
  auto response = transfer();
  const bool was_refused = !response && response.error().kind == Kind::denied && guarded.refuse_private_addresses;
  if (!was_refused || !is_private(round)) return response;
  guarded.refuse_private_addresses = false;
  return transfer();
}

// True if the registry itself is reached at a private address: then its token service and storage may be, too.
bool RegistryAccess::is_private(const Round& round) {
  if (const auto is_private = known(round.reference).is_private) return *is_private;
  HttpRequest request{.url = fmt::format("{}://{}/v2/", round.url.scheme, round.reference.registry()),
                      .tls = {.verify = round.checks_certificate},
                      .refuse_private_addresses = true};
  const auto response = transport_.send(request, round.deadline);
  const bool is_private = !response && response.error().kind == Kind::denied;
  if (response || is_private) learn(round.reference, [&](Known& known) { known.is_private = is_private; });
  return is_private;
}

std::string RegistryAccess::token_name(const Round& round) {
  return round.reference.repository() + (round.ask.pushes ? " push" : "");
}

Result<std::string> RegistryAccess::authorization(const Round& round, const std::optional<AuthChallenge>& challenge) {
  const auto now = SteadyClock::now();
  const auto now_known = known(round.reference);
  const bool is_current = now_known.challenge && now < now_known.challenge_expires;
  if (!challenge && !is_current) return std::string();
  const auto& applies = challenge ? *challenge : *now_known.challenge;

  if (applies.scheme == AuthChallenge::Scheme::basic) {
    auto found = credential(round, round.url);
    if (!found) return tl::unexpected(found.error());
    const auto* basic = std::get_if<BasicCredential>(&*found);
    return basic ? basic_authorization(*basic) : std::string();
  }
  const auto token = now_known.tokens.find(token_name(round));
  if (!challenge && token != now_known.tokens.end() && now < token->second.expires)
    return "Bearer " + token->second.text;
  auto fresh = fetch_token(round, applies);
  if (!fresh) return tl::unexpected(fresh.error());
  return "Bearer " + *fresh;
}

// reliability/P20: over plain HTTP credentials go to loopback and to listed hosts only.
Result<Credential> RegistryAccess::credential(const Round& round, const Url& receiver) {
  auto found = credentials_.find(round.reference, round.deadline);
  if (!found || std::holds_alternative<std::monostate>(*found)) return found;
  const bool is_safe =
      receiver.scheme == "https" || is_loopback(receiver.host) || is_listed_insecure(round.reference.registry());
  if (is_safe) return found;
  bool is_first = false;
  learn(round.reference, [&](Known& known) { is_first = !std::exchange(known.has_warned, true); });
  if (is_first)
    log_.warning("credentials are not sent over plain HTTP: list the registry in OCI_INSECURE_REGISTRIES to allow it",
                 {{"registry", round.reference.registry()}});
  return Credential();
}

Status RegistryAccess::check_realm(const Round& round, const Url& realm) const {
  const auto refuse = [&](std::string_view why) {
    return fail(Kind::denied, fmt::format("token service {} {}", realm.shown(), why));
  };
  if (realm.scheme == "http" && round.url.scheme != "http") return refuse("is on plain HTTP");
  const auto scope = scope_of_literal(realm.host);
  if (scope == AddressScope::link_local) return refuse("is at a link-local address");
  if (scope && *scope != AddressScope::open && realm.host_port() != round.url.host_port())
    return refuse("is at a private address other than the registry's");
  return {};
}

Result<std::string> RegistryAccess::fetch_token(const Round& round, const AuthChallenge& challenge) {
  auto realm = parse_url(challenge.realm);
  if (!realm) return while_doing(fmt::format("token service of {}", round.reference.registry()), realm.error());
  auto found = credential(round, *realm);
  if (!found) return tl::unexpected(found.error());
  if (const auto* token = std::get_if<RegistryToken>(&*found)) return token->token.reveal();

  const auto scopes = scopes_for(round.reference.repository(), round.ask.pushes ? "pull,push" : "pull", challenge);
  const auto* identity = std::get_if<IdentityToken>(&*found);
  auto request = identity ? refresh_request(*realm, challenge, scopes, *identity)
                          : token_request(*realm, challenge, scopes, *found);
  const Ask nothing;  // the answer is kept in memory, whatever the caller streams
  Result<HttpResponse> response;
  for (int redirects = 0;; ++redirects) {
    auto url = parse_url(request.url);
    if (!url) return tl::unexpected(url.error());
    if (auto good = check_realm(round, *url); !good) return tl::unexpected(good.error());
    const Round plain{round.reference, nothing, round.deadline, round.url, *url, round.checks_certificate};
    response = send(plain, request, url->host_port() != round.url.host_port());
    if (!response) return tl::unexpected(response.error());
    if (response->status == 404 && request.method == "POST") {  // an old token service
      request = token_request(*realm, challenge, scopes, Credential());
      continue;
    }
    if (!is_redirect(response->status)) break;
    auto next = resolve_url(*url, response->header("Location"));
    if (!next || redirects == kRedirectsMax || request.method != "GET")
      return fail(Kind::invalid, fmt::format("token service {} redirects too often or to nowhere", realm->shown()));
    if (next->host_port() != url->host_port()) request.headers.clear();
    request.url = next->str();
  }
  if (response->status != 200) return tl::unexpected(status_error(request.method, *realm, *response));
  auto answer = parse_token_answer(response->body);
  if (!answer) return while_doing(fmt::format("{} {}", request.method, realm->shown()), answer.error());
  learn(round.reference, [&](Known& known) {
    known.tokens[token_name(round)] = {answer->token, SteadyClock::now() + answer->valid_for};
  });
  return answer->token;
}

}  // namespace windlass
