#include "webhook/signature.h"

#include "base/text.h"

namespace windlass {
namespace {

enum class Proof { hmac, hmac_with_prefix, token };

struct SignatureHeader {
  Sender sender;
  std::string_view name;
  Proof proof;
};

// webhook/S1 to S6
constexpr SignatureHeader kHeaders[] = {
    {Sender::github, "X-Hub-Signature-256", Proof::hmac_with_prefix},
    {Sender::gitea, "X-Gitea-Signature", Proof::hmac},
    {Sender::gitlab, "X-Gitlab-Token", Proof::token},
    {Sender::gogs, "X-Gogs-Signature", Proof::hmac},
    {Sender::forgejo, "X-Forgejo-Signature", Proof::hmac},
    {Sender::oci, "X-Doco-OCI-Signature-256", Proof::hmac_with_prefix},
};

constexpr std::string_view kPrefix = "sha256=";

}  // namespace

std::string_view to_string(Sender sender) {
  constexpr std::string_view kNames[] = {"github", "gitea", "gitlab", "gogs", "forgejo", "oci"};
  return kNames[static_cast<std::size_t>(sender)];
}

SignatureCheck::Key::Key(const Secret& secret) : mac(secret), token_hash(sha256_hex(secret.reveal())) {}

SignatureCheck::SignatureCheck(const Secret& secret, const Secret& previous) {
  if (!secret.empty()) keys_.emplace_back(secret);
  if (!previous.empty()) keys_.emplace_back(previous);
}

SignatureVerdict SignatureCheck::judge(const ServerRequest& request) {
  for (const auto& [sender, name, proof] : kHeaders) {
    auto value = request.header(name);
    if (value.empty()) continue;  // as good as absent (webhook/S13)
    if (proof == Proof::hmac_with_prefix && value.starts_with(kPrefix)) value.remove_prefix(kPrefix.size());
    const bool good = proof == Proof::token ? is_token(value) : is_signed(value, request.body);
    return {good ? SignatureVerdict::Kind::good : SignatureVerdict::Kind::wrong, sender};
  }
  return {};
}

// Both letter cases are taken; what is compared are always 32 bytes (webhook/S9, S14).
bool SignatureCheck::is_signed(std::string_view hex, std::string_view body) {
  const auto claimed = hex.size() == 64 ? from_hex(hex) : std::nullopt;
  if (!claimed) return false;
  bool good = false;
  for (auto& key : keys_) {
    const auto right = key.mac.sign(body);
    good |= equal_constant_time(*claimed, {reinterpret_cast<const char*>(right.data()), right.size()});
  }
  return good;
}

bool SignatureCheck::is_token(std::string_view token) const {
  const auto hash = sha256_hex(token);
  bool good = false;
  for (const auto& key : keys_) good |= equal_constant_time(hash, key.token_hash);
  return good;
}

}  // namespace windlass
