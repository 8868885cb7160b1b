#include "webhook/registry/credential.h"

#include "base/text.h"
#include "sys/query.h"

namespace windlass {
namespace {

constexpr std::string_view kPrefix = "sha256=";

std::string_view bearer_token(const ServerRequest& request) {
  const auto value = request.header("Authorization");
  return lower(value.substr(0, 7)) == "bearer " ? trim(value.substr(7)) : std::string_view();
}

}  // namespace

RegistryCredential::RegistryCredential(const RegistryHook& hook, GoogleTokens* tokens)
    : hook_(hook), tokens_(tokens), mac_(hook.secret), secret_hash_(sha256_hex(hook.secret.reveal())) {}

bool RegistryCredential::fits(const ServerRequest& request) {
  if (hook_.wants_signed_token()) return tokens_ != nullptr && tokens_->accepts(bearer_token(request), hook_);
  switch (hook_.format) {
    case RegistryFormat::github_package: {
      const auto value = request.header("X-Hub-Signature-256");
      return value.starts_with(kPrefix) && is_signed(value.substr(kPrefix.size()), request.body);
    }
    case RegistryFormat::gitea_package: {  // Forgejo sends both, alike
      const auto forgejo = request.header("X-Forgejo-Signature");
      return is_signed(request.header("X-Gitea-Signature"), request.body) &&
             (forgejo.empty() || is_signed(forgejo, request.body));
    }
    case RegistryFormat::jfrog: {  // which of the two it is, is set on its side
      const auto value = request.header("X-JFrog-Event-Auth");
      return is_signed(value, request.body) || is_secret(value);
    }
    case RegistryFormat::nexus: {
      const auto claimed = from_hex(request.header("X-Nexus-Webhook-Signature"));
      return claimed && equal_constant_time(*claimed, hmac_sha1(hook_.secret, request.body));
    }
    default:
      break;
  }
  if (proof_of(hook_.format) == RegistryProof::header) return is_secret(request.header(hook_.header));
  return is_secret(query_value(request.query, "token").value_or(""));
}

bool RegistryCredential::is_signed(std::string_view hex, std::string_view body) {
  const auto claimed = hex.size() == 64 ? from_hex(hex) : std::nullopt;
  if (!claimed) return false;
  const auto right = mac_.sign(body);
  return equal_constant_time(*claimed, {reinterpret_cast<const char*>(right.data()), right.size()});
}

bool RegistryCredential::is_secret(std::string_view value) const {
  return !value.empty() && equal_constant_time(sha256_hex(value), secret_hash_);
}

}  // namespace windlass
