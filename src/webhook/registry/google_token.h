// The tokens that Google signs for push subscriptions (Google Cloud docs, "Authentication for push subscriptions"; RFC
// 7519, RS256 of RFC 7518 3.3), and the keys they are judged by (RFC 7517).
//
// Keys from a file are read at the start; keys from a URL are fetched by a thread of their own, again every six hours
// and, at most once a minute, when a token names a key that is not known.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "model/registry_hook.h"
#include "sigstore/public_key.h"
#include "sys/http_client.h"

namespace windlass {

class GoogleTokens {
 public:
  // Of the entries that want signed tokens. `transport` and `clock` must outlive it.
  GoogleTokens(const std::vector<RegistryHook>& hooks, HttpTransport& transport, const Clock& clock, Log log);
  ~GoogleTokens();

  // Signed by a key of that entry, for its audience, by Google, of its service account, and in its time.
  bool accepts(std::string_view token, const RegistryHook& hook);

 private:
  using Keys = std::map<std::string, PublicKey>;  // by key id
  const PublicKey* key_of(const std::string& place, const std::string& id);
  void fetch_until(std::stop_token stop);
  void fetch(const std::string& url, const std::stop_token& stop);
  void read_keys(const std::string& place, std::string_view text);

  HttpTransport& transport_;
  const Clock& clock_;
  Log log_;
  std::vector<std::string> urls_;
  std::mutex mutex_;
  std::condition_variable_any wanted_;
  std::map<std::string, Keys> keys_;  // by URL or file; guarded by mutex_
  bool is_wanted_ = false;            // a token named a key that is not known; guarded by mutex_
  std::jthread fetcher_;              // last: it uses all of the above
};

// The RSA keys of a JSON web key set by their ids; what is no such key is left out.
std::map<std::string, PublicKey> parse_key_set(std::string_view text);

}  // namespace windlass
