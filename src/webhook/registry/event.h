// What registries announce, brought to one form (registry-events 3.4 to 3.6).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/registry_hook.h"
#include "sys/http_server.h"
#include "sys/json.h"

namespace windlass {

// Why an event deploys nothing. Senders and tests know the words: they are stable.
enum class Ignored {
  handshake,
  ping,
  no_events,
  event_not_push,
  action_not_push,
  result_not_success,
  not_container,
  not_manifest,
  no_tag,
  accessory_tag,
  no_registry_host,
  invalid_reference,
  not_allowed,
};
std::string_view to_string(Ignored reason);  // "event_not_push"

// One event of a request: a pushed tag, or why it is none.
struct RegistryEvent {
  std::string artifact;  // "host/repository:tag"
  std::string digest;    // of the push; "" where the sender does not tell: the tag is resolved by the job
  std::optional<Ignored> ignored;
  std::string detail;  // of what is ignored: the words of the sender

  static RegistryEvent pass_over(Ignored reason, std::string_view detail = {});
};

// What an adapter reads: the request, and its body as JSON.
struct RegistryRequest {
  const ServerRequest& http;
  const json::value& body;
};

// An adapter: one sender's words as events, in their order. Never empty: nothing in it is one event that is ignored.
using RegistryAdapter = std::vector<RegistryEvent> (*)(const RegistryRequest&, const RegistryHook&);

// A push in the sender's words.
struct Push {
  std::string host, repository, tag;
  std::string digest;  // as sent; one that is no digest counts as absent
};

// The push as an event: the reference is built, tags that must not deploy are ignored. `other_host`, unless it is "",
// stands in place of the sender's.
RegistryEvent event_of(Push push, std::string_view other_host);
inline RegistryEvent event_of(Push push, const RegistryHook& hook) {
  return event_of(std::move(push), std::string_view(hook.registry_host));
}

// The authority of a URL, or of "host/path": lower case, without user and with the port unless it is the scheme's own.
std::string host_of(std::string_view url);

// The text at a JSON pointer (RFC 6901), "" when there is none.
std::string_view text_at(const json::value& value, std::string_view pointer);
const json::value* value_at(const json::value& value, std::string_view pointer);

// Is it the media type of a manifest or an index? "" is: old senders say nothing.
bool is_manifest_type(std::string_view media_type);

}  // namespace windlass
