// One registry as it is reached from here: its scheme, its redirects, what it wants to be asked with (oci 3.1, 3.3).
//
// Scheme, challenge and token are learnt by its answers and remembered, so that a request to a registry that is known
// costs one round trip.
//
// Not here: asking again (registry_access), what the answers mean (manifest_client, blob_client, referrers).
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/slots.h"
#include "oci/registry_authorization.h"
#include "oci/registry_place.h"
#include "sys/address.h"
#include "sys/http_client.h"
#include "sys/url.h"

namespace windlass {

struct RegistryAsk {
  std::string method = "GET";
  std::string path;  // "/v2/…"; or the Location of an upload, which may be at another host
  std::vector<HttpHeader> headers;
  std::string body;
  UploadBody upload;           // instead of `body`
  bool pushes = false;         // the token must allow to push
  bool is_immutable = false;   // named by digest: a mirror's answer is as good
  bool is_asked_again = true;  // after a fault that passes; false: its caller begins with something else anew
  bool once = false;           // not asked again: any status is a good result
  bool stays_in_api = false;   // a redirect to another host is the answer, unless it leads to "/v2/…" there
  std::uint64_t body_bytes_max = 64 << 10;
  HeadCheck wants;  // of a streamed answer, with `sink`
  BodySink sink;
};

class RegistryPeer {
 public:
  // `place` says how this peer is reached; its reference is any of its artifacts.
  RegistryPeer(const RegistryPlace& place, std::string user_agent, HttpTransport& transport,
               CredentialSource& credentials, const Clock& clock, const Log& log);

  // Asks once; with a token or password if that is wanted, and again for a token that was too old. The answer is the
  // last one of the redirects.
  Result<HttpResponse> ask(const Reference& reference, const RegistryAsk& ask, const Deadline& deadline);

  // The URL of that path as asked for now.
  Result<Url> url_of(const std::string& path);

  // A mirror that does not answer is left alone for a while.
  bool is_resting() const { return clock_.steady_now() < rests_until_.load() || left_alone_for(); }
  void rest() { rests_until_ = clock_.steady_now() + kRest; }

  // How long it still wants to be left alone: it, its token service or its storage said so (Retry-After) to somebody
  // who could not wait. Nothing: it may be asked.
  std::optional<std::chrono::seconds> left_alone_for() const;

 private:
  static constexpr std::chrono::seconds kRest{60}, kSharedRestMax{15 * 60};

  // One request with all that is settled about it.
  struct Round {
    const RegistryAsk& ask;
    const Deadline& deadline;
    Url registry;
    Url asked;  // mostly there
  };
  // What came of GET /v2/ and its redirects.
  struct Pinged {
    std::string scheme;            // in which the registry itself answered last
    Url url;                       // that was asked last, there or elsewhere
    int status = 0;                // of the last answer
    std::optional<Error> stopped;  // why that was a redirect and not followed to its end
  };
  // Where a request goes.
  struct Hop {
    const Url& url;
    std::optional<AddressScope> named_at;  // where the answer came from that named the URL
  };
  struct Followed {
    HttpResponse response;
    bool is_elsewhere = false;  // another host than the registry gave it
    Url url;                    // which one
  };

  Result<std::string> settle_scheme(const Deadline& deadline);
  Result<std::string> find_scheme(const Deadline& deadline);
  Result<Pinged> ping(const std::string& scheme, std::chrono::milliseconds connect_timeout, const Deadline& deadline);
  static Result<std::string> scheme_of(const Pinged& pinged);
  bool wants_https(const Pinged& pinged) const;
  bool is_own(const Url& url) const;
  bool may_be_plain() const;
  Result<Url> url_of(const std::string& scheme, const std::string& path) const;
  std::optional<std::string> settled_scheme();
  void set_scheme(std::string scheme);
  void forget_scheme();
  Result<Followed> follow(const Round& round, const std::string& authorization);
  static Result<HttpResponse> answer_of(const RegistryAsk& ask, Followed followed);
  // Where a redirect leads, if it may be followed.
  Result<Url> next_of(const Round& round, const Url& url, const HttpResponse& response, int redirects) const;
  Result<HttpResponse> send(const Round& round, HttpRequest request, const Hop& hop, bool streams);
  Result<HttpResponse> send_elsewhere(HttpRequest& request, const std::function<Result<HttpResponse>()>& transfer);
  SendToken token_sender(const Round& round, std::optional<AddressScope> named_at);
  // With the setting that mends it, if one does.
  Error advised(Error error, bool is_elsewhere) const;
  void heed(const HttpResponse& response);
  void leave_alone(std::chrono::seconds span) { left_alone_until_ = clock_.steady_now() + span; }
  void remember(std::optional<AddressScope> own_peer);
  std::optional<AddressScope> last_peer();

  const std::string registry_;  // "host[:port]"
  const bool is_insecure_;
  const TlsOptions tls_;
  const std::string user_agent_;
  HttpTransport& transport_;
  const Clock& clock_;
  RegistryAuthorization authorization_;
  Slots downloads_;
  std::atomic<SteadyTime> rests_until_{}, left_alone_until_{};
  std::mutex mutex_;                       // of what follows
  std::string scheme_ = "https";           // the last one that was settled
  bool is_settled_ = false;                // until it does not answer
  std::optional<AddressScope> last_peer_;  // at which the registry itself answered
};

}  // namespace windlass
