#include "oci/registry_peer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "oci/registry_answer.h"
#include "sys/address.h"
#include "sys/http_retry.h"
#include "sys/tls_fault.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

constexpr auto kFirstContact = 300ms;  // for TLS where plain HTTP is allowed too
constexpr int kRedirectsMax = 10;
constexpr std::size_t kDownloadsMax = 4;            // at once (oci 3.3)
constexpr std::uint64_t kErrorBytesMax = 64 << 10;  // oci 3.4

std::string host_of(std::string_view registry) {
  const auto from = registry.starts_with('[') ? registry.find(']') : 0;
  return std::string(registry.substr(0, registry.find(':', from)));
}

bool is_known_private(const std::string& host) {
  const auto scope = scope_of_literal(host);
  return is_loopback_host(host) || (scope && *scope != AddressScope::open);
}

// Where the answer came from. Behind a proxy that is not to be seen, and the name alone can tell.
AddressScope place_of(const Url& url, const HttpResponse& response) {
  if (response.peer) return *response.peer;
  return is_known_private(url.host) ? AddressScope::rfc1918 : AddressScope::open;
}

bool may_speak_plain_http(const std::string& host) {
  return is_loopback_host(host) || scope_of_literal(host) == AddressScope::rfc1918;
}

// Not 303 and its kin: what a registry wants to be uploaded somewhere else is not to become a GET.
bool keeps_the_method(int status) { return status == 307 || status == 308; }

}  // namespace

RegistryPeer::RegistryPeer(const RegistryPlace& place, std::string user_agent, HttpTransport& transport,
                           CredentialSource& credentials, const Clock& clock, const Log& log)
    : registry_(place.reference.registry()),
      is_insecure_(place.is_insecure),
      tls_(place.tls),
      user_agent_(std::move(user_agent)),
      transport_(transport),
      clock_(clock),
      authorization_(place.is_insecure, credentials, clock, log),
      downloads_(kDownloadsMax, "a place among the downloads") {}

std::optional<std::string> RegistryPeer::settled_scheme() {
  const std::lock_guard lock(mutex_);
  return is_settled_ ? std::optional(scheme_) : std::nullopt;
}

void RegistryPeer::set_scheme(std::string scheme) {
  const std::lock_guard lock(mutex_);
  scheme_ = std::move(scheme);
  is_settled_ = true;
}

void RegistryPeer::forget_scheme() {
  const std::lock_guard lock(mutex_);
  is_settled_ = false;
}

Result<Url> RegistryPeer::url_of(const std::string& path) {
  std::string last;
  {
    const std::lock_guard lock(mutex_);
    last = scheme_;
  }
  return url_of(last, path);
}

Result<Url> RegistryPeer::url_of(const std::string& scheme, const std::string& path) const {
  const auto registry = parse_url(fmt::format("{}://{}/", scheme, registry_));
  return registry ? resolve_url(*registry, path) : registry;
}

Result<HttpResponse> RegistryPeer::ask(const Reference& reference, const RegistryAsk& ask, const Deadline& deadline) {
  // Kept for the whole request: a parallel one that fails may forget the scheme at any time.
  const auto scheme = settle_scheme(deadline);
  if (!scheme) return tl::unexpected(scheme.error());
  const auto registry = url_of(*scheme, "/");
  if (!registry) return tl::unexpected(registry.error());
  const auto asked = url_of(*scheme, ask.path);
  if (!asked) return while_doing(ask.method, asked.error());
  if (registry->scheme == "https" && asked->scheme == "http")
    return fail(Kind::denied, fmt::format("{} {}: plain HTTP is not spoken to a registry that has HTTPS", ask.method,
                                          asked->shown()));
  const Round round{ask, deadline, *registry, *asked};
  const RegistryAuthorization::Request request{reference, *registry, ask.pushes, deadline};

  const auto first = authorization_.header_for(request, std::nullopt, token_sender(round, last_peer()));
  if (!first) return tl::unexpected(first.error());
  auto followed = follow(round, *first);
  if (!followed) {
    if (followed.error().kind == Kind::unavailable) forget_scheme();  // it may speak the other one after a restart
    return tl::unexpected(followed.error());
  }
  if (followed->response.status != 401) return answer_of(ask, *std::move(followed));
  if (followed->is_elsewhere) {
    forget_scheme();  // that it was sent on, to where nobody knows us, may have been for a while only
    return answer_of(ask, *std::move(followed));
  }
  const auto challenge = challenge_of(followed->response);
  if (!challenge) return std::move(followed->response);
  const auto second =
      authorization_.header_for(request, challenge, token_sender(round, place_of(followed->url, followed->response)));
  if (!second) return tl::unexpected(second.error());
  if (second->empty() || *second == *first) return std::move(followed->response);
  followed = follow(round, *second);
  return followed ? answer_of(ask, *std::move(followed)) : tl::unexpected(followed.error());
}

// Who was sent on and refused is told by whom: neither the registry nor its login is to blame (decision 179). A HEAD is
// an answer all the same, for its caller asks for the reason by a GET.
Result<HttpResponse> RegistryPeer::answer_of(const RegistryAsk& ask, Followed followed) {
  const bool is_refused = followed.response.status == 401 || followed.response.status == 403;
  if (followed.is_elsewhere && is_refused && ask.method != "HEAD")
    return tl::unexpected(status_error(ask.method, followed.url, followed.response));
  return std::move(followed.response);
}

Result<std::string> RegistryPeer::settle_scheme(const Deadline& deadline) {
  if (auto known = settled_scheme()) return *std::move(known);
  auto scheme = may_be_plain() ? find_scheme(deadline) : Result<std::string>("https");
  if (scheme) set_scheme(*scheme);
  return scheme;
}

bool RegistryPeer::may_be_plain() const { return is_insecure_ || may_speak_plain_http(host_of(registry_)); }

// HTTPS first; once more, and with patience, where plain HTTP does not answer or leads to HTTPS.
Result<std::string> RegistryPeer::find_scheme(const Deadline& deadline) {
  const auto secure = ping("https", kFirstContact, deadline);
  if (secure) return scheme_of(*secure);
  const auto plain = ping("http", HttpRequest().connect_timeout, deadline);
  if (plain && !wants_https(*plain)) return scheme_of(*plain);
  if (secure.error().kind != Kind::unavailable) return tl::unexpected(secure.error());
  const auto patient = ping("https", HttpRequest().connect_timeout, deadline);
  if (patient) return scheme_of(*patient);
  if (plain && patient.error().kind == Kind::unavailable)  // its HTTPS is at another port, say: requests are sent there
    if (auto scheme = scheme_of(*plain)) return scheme;
  return tl::unexpected(patient.error());
}

// Followed for the scheme alone. A challenge at the end is not kept: each request hears its own, and from whom.
Result<RegistryPeer::Pinged> RegistryPeer::ping(const std::string& scheme, std::chrono::milliseconds connect_timeout,
                                                const Deadline& deadline) {
  const RegistryAsk ask{.path = "/v2/"};
  const auto first = url_of(scheme, ask.path);
  if (!first) return tl::unexpected(first.error());
  Round round{ask, deadline, *first, *first};
  Pinged pinged{.scheme = scheme, .url = *first, .status = 0, .stopped = {}};
  std::optional<AddressScope> named_at;
  for (int redirects = 0;; ++redirects) {
    if (is_own(pinged.url)) round.registry = pinged.url;
    HttpRequest request{.url = pinged.url.str(), .body_bytes_max = ask.body_bytes_max};
    if (redirects == 0) request.connect_timeout = connect_timeout;
    const auto response = send(round, request, {pinged.url, named_at}, false);
    if (!response && redirects == 0) return tl::unexpected(response.error());
    if (!response) {
      pinged.stopped = response.error();
      return pinged;
    }
    pinged.scheme = round.registry.scheme;
    pinged.status = response->status;
    if (!is_redirect(response->status)) return pinged;
    auto next = next_of(round, pinged.url, *response, redirects);
    if (!next) {
      pinged.stopped = next.error();
      return pinged;
    }
    named_at = place_of(pinged.url, *response);
    pinged.url = *std::move(next);
  }
}

// That its HTTPS answers is enough: the request that follows tells what is wrong. In plain HTTP, which any server may
// speak, a registry must be at the end.
Result<std::string> RegistryPeer::scheme_of(const Pinged& pinged) {
  if (pinged.scheme == "https" && pinged.url.scheme == "https") return pinged.scheme;
  if (pinged.stopped) return tl::unexpected(*pinged.stopped);
  if (pinged.status == 200 || pinged.status == 401) return pinged.scheme;
  const auto answer = fmt::format("GET {}: {}", pinged.url.shown(), pinged.status);
  if (pinged.status >= 500 || is_worth_a_retry(pinged.status)) return fail(Kind::unavailable, answer);
  return fail(Kind::invalid, answer + ": not an OCI registry");
}

// In plain HTTP it leads to HTTPS at another host or port. 400: a TLS server that was spoken to in plain HTTP.
bool RegistryPeer::wants_https(const Pinged& pinged) const {
  return pinged.scheme == "http" && (pinged.status == 400 || (pinged.url.scheme == "https" && !is_own(pinged.url)));
}

// The registry that was named, in either scheme: without a port in its name it has another one in each.
bool RegistryPeer::is_own(const Url& url) const {
  const auto own = url_of(url.scheme, "/");
  return own && own->host_port() == url.host_port();
}

// By hand: each step is judged anew, and credentials stay with the registry (reliability/F51, P20).
Result<RegistryPeer::Followed> RegistryPeer::follow(const Round& round, const std::string& authorization) {
  const bool is_read = round.ask.method == "GET" || round.ask.method == "HEAD";
  auto url = round.asked;
  auto named_at = last_peer();  // if it is elsewhere: the Location of an upload
  std::string token;            // of the host that we were sent to, got without anybody's credentials
  for (int redirects = 0;;) {
    const bool is_elsewhere = url.host_port() != round.registry.host_port();
    HttpRequest request{.method = round.ask.method,
                        .url = url.str(),
                        .headers = round.ask.headers,
                        .body = round.ask.body,
                        .upload = round.ask.upload,
                        .body_bytes_max = round.ask.body_bytes_max};
    const auto& shows = is_elsewhere ? token : authorization;
    if (!shows.empty()) request.headers.push_back({"Authorization", shows});
    auto response = send(round, request, {url, named_at}, static_cast<bool>(round.ask.sink));
    if (!response) return tl::unexpected(response.error());
    hide_credentials(request, *response);
    if (is_elsewhere && response->status == 401 && token.empty()) {
      const auto send_token = token_sender(round, place_of(url, *response));
      const auto challenge = challenge_of(*response);
      auto header = challenge ? RegistryAuthorization::anonymous_header(url, *challenge, send_token) : std::string();
      if (!header) return tl::unexpected(header.error());
      if (!header->empty()) {
        token = std::move(*header);
        continue;
      }
    }
    if (!is_redirect(response->status) || (!is_read && !keeps_the_method(response->status)))
      return Followed{std::move(*response), is_elsewhere, url};

    const auto next = next_of(round, url, *response, redirects++);
    if (!next) return tl::unexpected(next.error());
    const bool leaves_api = next->host_port() != round.registry.host_port() && !next->path.starts_with("/v2/");
    if (round.ask.stays_in_api && leaves_api) return Followed{std::move(*response), is_elsewhere, url};
    if (next->host_port() != url.host_port()) token.clear();
    named_at = place_of(url, *response);
    url = *next;
  }
}

Result<Url> RegistryPeer::next_of(const Round& round, const Url& url, const HttpResponse& response,
                                  int redirects) const {
  const auto refuse = [&](Kind kind, std::string_view why) {
    return fail(kind, fmt::format("{} {}: {}: {}", round.ask.method, url.shown(), response.status, why));
  };
  auto next = resolve_url(url, response.header("Location"));
  if (!next) return refuse(Kind::invalid, "redirect without a usable location");
  if (url.scheme == "https" && next->scheme == "http") return refuse(Kind::denied, "redirect to plain HTTP refused");
  if (redirects == kRedirectsMax) return refuse(Kind::invalid, "more than 10 redirects");
  return next;
}

Result<HttpResponse> RegistryPeer::send(const Round& round, HttpRequest request, const Hop& hop, bool streams) {
  const bool is_elsewhere = hop.url.host_port() != round.registry.host_port();
  request.headers.push_back({"User-Agent", user_agent_});
  request.error_body_bytes_max = kErrorBytesMax;
  const auto transfer = [&]() -> Result<HttpResponse> {
    if (!streams) return transport_.send(request, round.deadline);
    const auto slot = downloads_.take(round.deadline);
    if (!slot) return fail(Kind::unavailable, "deadline passed before the download could begin");
    return transport_.stream(request, round.ask.wants, round.ask.sink, round.deadline);
  };
  if (!is_elsewhere) {
    request.tls = tls_;
    request.tls.verify = !is_insecure_;
  }
  // oci 3.3: only who is at a private address may name one. Before any answer, the registry's name tells.
  if (is_elsewhere)
    request.refuse_private_addresses =
        hop.named_at ? *hop.named_at == AddressScope::open : !is_known_private(round.registry.host);
  auto response = is_elsewhere ? send_elsewhere(request, transfer) : transfer();
  if (!response) return tl::unexpected(advised(response.error(), is_elsewhere));
  heed(*response);
  if (!is_elsewhere) remember(place_of(hop.url, *response));
  return response;
}

// A registry of which HTTPS is expected, and that speaks plain HTTP, will do so in a minute too (decision 178).
Error RegistryPeer::advised(Error error, bool is_elsewhere) const {
  const auto fault = tls_fault_of(error);
  if (fault == TlsFault::unknown_issuer) error.message += "; its CA: ca_file in OCI_REGISTRIES_FILE, or SSL_CERT_DIR";
  if (fault == TlsFault::speaks_no_tls && !is_elsewhere && !may_be_plain()) {
    error.message += "; if it speaks plain HTTP, list it in OCI_INSECURE_REGISTRIES";
    error.kind = Kind::invalid;
  }
  return error;
}

// What is longer than a job may wait holds for all who ask by themselves, but not for as long: the limit of one account
// or repository must not silence the others for a day.
void RegistryPeer::heed(const HttpResponse& response) {
  if (!is_worth_a_retry(response.status)) return;
  const auto span = parse_retry_after(response.header("Retry-After"), clock_.now());
  if (span && *span > kRetryAfterMax) leave_alone(std::min<std::chrono::seconds>(*span, kSharedRestMax));
}

std::optional<std::chrono::seconds> RegistryPeer::left_alone_for() const {
  const auto left = left_alone_until_.load() - clock_.steady_now();
  if (left <= SteadyTime::duration::zero()) return std::nullopt;
  return std::chrono::ceil<std::chrono::seconds>(left);
}

// Storage and token services: never with the registry's client certificate. They may be beside a registry that is
// private itself, with a CA that nobody else knows.
Result<HttpResponse> RegistryPeer::send_elsewhere(HttpRequest& request,
                                                  const std::function<Result<HttpResponse>()>& transfer) {
  auto response = transfer();
  if (!response && response.error().kind == Kind::denied && !tls_.ca_file.empty()) {
    request.tls.ca_file = tls_.ca_file;
    response = transfer();
  }
  return response;
}

// A token service that sends on is judged by its own address from there.
SendToken RegistryPeer::token_sender(const Round& round, std::optional<AddressScope> named_at) {
  return [this, &round, named_at](const HttpRequest& request, const Url& url) mutable {
    auto response = send(round, request, {url, named_at}, false);
    if (response) named_at = place_of(url, *response);
    return response;
  };
}

void RegistryPeer::remember(std::optional<AddressScope> own_peer) {
  const std::lock_guard lock(mutex_);
  last_peer_ = own_peer;
}

std::optional<AddressScope> RegistryPeer::last_peer() {
  const std::lock_guard lock(mutex_);
  return last_peer_;
}

}  // namespace windlass
