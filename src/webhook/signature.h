// Who signed a request, and whether the signature is right (webhook 5).
#pragma once

#include <string>
#include <string_view>

#include "base/secret.h"
#include "sys/crypto.h"
#include "sys/server_request.h"

namespace windlass {

// In the order in which their headers are looked for. The first with a value decides; a failed check never falls
// through.
enum class Sender { github, gitea, gitlab, gogs, forgejo, oci };
std::string_view to_string(Sender sender);

struct SignatureVerdict {
  enum class Kind { missing, wrong, good };
  Kind kind = Kind::missing;
  Sender sender = Sender::oci;  // of wrong and good
};

// Holds the prepared keys. Not thread-safe: one thread asks.
class SignatureCheck {
 public:
  // During a rotation both secrets are right; `previous` may be empty (reliability/P21). With both empty every
  // signature is wrong.
  SignatureCheck(const Secret& secret, const Secret& previous);

  SignatureVerdict judge(const ServerRequest& request);

 private:
  struct Key {
    explicit Key(const Secret& secret);
    HmacSha256 mac;
    std::string token_hash;  // of the secret itself, for GitLab's clear-text token
  };
  bool is_signed(std::string_view hex, std::string_view body);
  bool is_token(std::string_view token) const;

  std::vector<Key> keys_;
};

}  // namespace windlass
