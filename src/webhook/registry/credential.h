// Whether a registry's request proves who sent it (registry-events 3.2).
#pragma once

#include <optional>

#include "model/registry_hook.h"
#include "sys/crypto.h"
#include "sys/http_server.h"
#include "webhook/registry/google_token.h"

namespace windlass {

// Of one entry of REGISTRY_WEBHOOKS, its keys prepared. Used by one thread.
class RegistryCredential {
 public:
  // `tokens` judges what Google signs; it may be null where the entry has a secret.
  RegistryCredential(const RegistryHook& hook, GoogleTokens* tokens);

  // All comparisons take the same time whatever is wrong.
  bool fits(const ServerRequest& request);

 private:
  bool is_signed(std::string_view hex, std::string_view body);
  bool is_secret(std::string_view value) const;

  const RegistryHook& hook_;
  GoogleTokens* tokens_;
  HmacSha256 mac_;
  std::string secret_hash_;  // SHA-256: what is compared has one length
};

}  // namespace windlass
