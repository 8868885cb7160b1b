#include "oci/registry_access.h"

#include <fmt/format.h>

#include "oci/registry_answer.h"
#include "sys/http_retry.h"

namespace windlass {
namespace {

constexpr std::chrono::seconds kAdviceTime{5};  // what a helper said a moment ago is known

// The path of the same thing at another place, where the repository may have another name.
RegistryAsk moved(RegistryAsk ask, const Reference& from, const Reference& to) {
  const auto old_root = fmt::format("/v2/{}/", from.repository());
  if (ask.path.starts_with(old_root))
    ask.path = fmt::format("/v2/{}/{}", to.repository(), ask.path.substr(old_root.size()));
  return ask;
}

// A body that was begun is not asked for again here: resuming is the content store's.
struct Body {
  bool has_begun = false;
  bool is_refused = false;  // by its sink: our disk is full, say
};

RegistryAsk watched(RegistryAsk ask, Body& body) {
  if (ask.sink)
    ask.sink = [sink = std::move(ask.sink), &body](std::string_view bytes) {
      body.has_begun = true;
      auto taken = sink(bytes);
      body.is_refused = !taken;
      return taken;
    };
  return ask;
}

bool is_served(const HttpResponse& response) {
  return response.status == 200 || response.status == 206 || response.status == 304;
}

// A bare 401, all that HEAD gives, does not tell a forgotten login from a wrong one.
std::string advice_on(CredentialSource& credentials, const Reference& reference) {
  const auto found = credentials.find(reference, Deadline::in(kAdviceTime));
  return found ? login_advice(reference.registry(), *found) : "";
}

}  // namespace

RegistryAccess::RegistryAccess(RegistryOptions options, HttpTransport& transport, CredentialSource& credentials,
                               const Clock& clock, Log log)
    : options_(std::move(options)),
      transport_(transport),
      credentials_(credentials),
      clock_(clock),
      log_(std::move(log)),
      places_(std::make_shared<RegistryPlaces>(options_)) {}

void RegistryAccess::use(std::vector<RegistryRule> rules) {
  auto options = options_;
  options.rules = std::move(rules);
  auto places = std::make_shared<RegistryPlaces>(options);
  const std::lock_guard lock(mutex_);
  places_ = std::move(places);
}

std::shared_ptr<const RegistryPlaces> RegistryAccess::places() {
  const std::lock_guard lock(mutex_);
  return places_;
}

std::shared_ptr<RegistryPeer> RegistryAccess::peer_at(const RegistryPlace& place) {
  const std::lock_guard lock(mutex_);
  auto& known = peers_[place.key()];
  if (!known.peer)
    known.peer = std::make_shared<RegistryPeer>(place, options_.user_agent, transport_, credentials_, clock_, log_);
  known.used = ++uses_;
  auto peer = known.peer;
  if (peers_.size() > kPeersMax) forget_the_idlest();
  return peer;
}

// None that a request is under way to: its downloads are counted there.
void RegistryAccess::forget_the_idlest() {
  auto idlest = peers_.end();
  for (auto it = peers_.begin(); it != peers_.end(); ++it)
    if (it->second.peer.use_count() <= 1 && (idlest == peers_.end() || it->second.used < idlest->second.used))
      idlest = it;
  if (idlest != peers_.end()) peers_.erase(idlest);
}

Error RegistryAccess::error_at(const RegistryPlace& place, const Ask& ask, const HttpResponse& response) {
  const auto url = peer_at(place)->url_of(ask.path);
  return url ? status_error(ask.method, *url, response) : url.error();
}

Error RegistryAccess::error_of(const Reference& reference, const Ask& ask, const HttpResponse& response) {
  const auto place = places()->primary(reference);
  if (!place) return place.error();
  auto error = error_at(*place, moved(ask, reference, place->reference), response);
  if (response.status == 401 || response.status == 403) error.message += advice_on(credentials_, place->reference);
  return error;
}

Result<std::vector<Reference>> RegistryAccess::asked_as(const Reference& reference) {
  const auto places = this->places()->of(reference, false);
  if (!places) return tl::unexpected(places.error());
  std::vector<Reference> names;
  for (const auto& place : *places) names.push_back(place.reference);
  return names;
}

std::optional<std::chrono::seconds> RegistryAccess::left_alone_for(const Reference& reference) {
  const auto place = places()->primary(reference);
  return place ? peer_at(*place)->left_alone_for() : std::nullopt;
}

Result<HttpResponse> RegistryAccess::ask(const Reference& reference, const Ask& ask, const Deadline& deadline) {
  if (ask.pushes) return ask_for_push(reference, ask, deadline);
  const auto places = this->places()->of(reference, ask.is_immutable);
  if (!places) return tl::unexpected(places.error());
  Body body;
  const auto its_ask = watched(ask, body);
  for (const auto& place : *places) {
    const auto there = moved(its_ask, reference, place.reference);
    if (!place.is_mirror) return ask_patiently(place, there, deadline);
    const auto peer = peer_at(place);
    if (peer->is_resting()) continue;
    auto response = peer->ask(place.reference, there, deadline);
    if (response && (body.has_begun || is_served(*response))) return response;
    const auto error = response ? error_at(place, there, *response) : response.error();
    const bool is_its_fault = !body.is_refused && !deadline.passed();
    const bool is_no_use = error.kind == Kind::unavailable || (!response && error.kind == Kind::invalid);
    if (is_no_use && is_its_fault) peer->rest();
    if (body.has_begun) return response;  // cut: its caller asks the next place for the rest
    log_.debug("mirror did not serve, asking the next",
               {{"mirror", place.reference.registry()}, {"error", error.message}});
  }
  return fail(Kind::internal, "no place to ask at");  // the last place is never a mirror
}

Result<HttpResponse> RegistryAccess::ask_for_push(const Reference& reference, const Ask& ask,
                                                  const Deadline& deadline) {
  const auto place = places()->primary(reference);
  if (!place) return tl::unexpected(place.error());
  return ask_patiently(*place, moved(ask, reference, place->reference), deadline);
}

Result<HttpResponse> RegistryAccess::ask_patiently(const RegistryPlace& place, const Ask& ask,
                                                   const Deadline& deadline) {
  Body body;
  const auto its_ask = watched(ask, body);
  const auto peer = peer_at(place);
  for (int attempt = 1;; ++attempt) {
    auto response = peer->ask(place.reference, its_ask, deadline);
    if (ask.once || (response && !is_worth_a_retry(response->status))) return response;
    const auto error = response ? error_at(place, ask, *response) : response.error();
    const auto told = response ? parse_retry_after(response->header("Retry-After"), clock_.now()) : std::nullopt;
    const auto rest = told ? told : peer->left_alone_for();  // its token service said so, say
    if (error.kind == Kind::unavailable && rest > kRetryAfterMax)
      return fail(error.kind, fmt::format("{}, to be asked again in {} s", error.message, rest->count()));
    if (error.kind != Kind::unavailable || body.has_begun || !ask.is_asked_again || attempt >= options_.attempts_max ||
        deadline.passed())
      return tl::unexpected(error);
    const std::chrono::milliseconds wait =
        told ? *told : backoff(attempt - 1, options_.backoff_base, options_.backoff_max);
    log_.debug("asking the registry again", {{"error", error.message}, {"wait_ms", wait.count()}});
    if (!pause(wait, deadline)) return tl::unexpected(error);
  }
}

}  // namespace windlass
