// Requests to registries: at which place, and when to ask again (oci 3.4, 6).
//
// Not here: one request and its redirects (registry_peer), what the answers mean (manifest_client, blob_client).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "oci/credentials.h"
#include "oci/registry.h"
#include "oci/registry_peer.h"
#include "oci/registry_place.h"
#include "sys/http_client.h"

namespace windlass {

class RegistryAccess {
 public:
  using Ask = RegistryAsk;
  static constexpr std::size_t kPeersMax = 1000;  // remembered: whoever may send a webhook may name any host

  RegistryAccess(RegistryOptions options, HttpTransport& transport, CredentialSource& credentials, const Clock& clock,
                 Log log);

  // In place of the rules until now, for requests that begin after it.
  void use(std::vector<RegistryRule> rules);

  // Any status that does not pass by asking again is a good result. A mirror is asked once, and only for what is
  // immutable; whatever keeps it from serving, the next one is asked, at last the registry itself.
  Result<HttpResponse> ask(const Reference& reference, const Ask& ask, const Deadline& deadline);

  // The names by which a tag or a list of that repository is asked for: at mirrors that may tell, last at the registry
  // itself or the location that stands for it. Registries link to their next page by these.
  Result<std::vector<Reference>> asked_as(const Reference& reference);

  // As of Registry.
  std::optional<std::chrono::seconds> left_alone_for(const Reference& reference);

  // "GET https://ghcr.io/v2/a/manifests/1: 403 DENIED: …; no credentials for …", the kind fits the status.
  Error error_of(const Reference& reference, const Ask& ask, const HttpResponse& response);

 private:
  struct Known {
    std::shared_ptr<RegistryPeer> peer;
    std::uint64_t used = 0;  // the number of its last use
  };

  std::shared_ptr<const RegistryPlaces> places();
  std::shared_ptr<RegistryPeer> peer_at(const RegistryPlace& place);
  void forget_the_idlest();
  // Of the registry itself, although mirrors may tell tags: they only have copies.
  Result<HttpResponse> ask_for_push(const Reference& reference, const Ask& ask, const Deadline& deadline);
  Result<HttpResponse> ask_patiently(const RegistryPlace& place, const Ask& ask, const Deadline& deadline);
  Error error_at(const RegistryPlace& place, const Ask& ask, const HttpResponse& response);

  const RegistryOptions options_;
  HttpTransport& transport_;
  CredentialSource& credentials_;
  const Clock& clock_;
  Log log_;
  std::mutex mutex_;  // of what follows
  std::shared_ptr<const RegistryPlaces> places_;
  std::map<std::string, Known> peers_;  // by key of the place
  std::uint64_t uses_ = 0;
};

}  // namespace windlass
