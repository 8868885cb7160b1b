#include "config/trust_policy.h"

#include <fmt/format.h>

#include "base/text.h"
#include "config/key_reader.h"
#include "sigstore/identity.h"
#include "sigstore/pem.h"

namespace windlass {
namespace {

// One mapping of a policy that is being read.
struct Reading {
  KeyReader keys;
  std::string_view file;
  const TrustNotes& notes;

  Reading(const YamlNode& mapping, std::string_view file, const TrustNotes& notes)
      : keys(mapping, file, notes.faults), file(file), notes(notes) {}

  void fault(const YamlNode& at, std::string_view text) { notes.faults.push_back(place(at) + std::string(text)); }
  // "<file>:<line>: "; without the line where the mapping was not a file.
  std::string place(const YamlNode& at) const {
    return at.line > 0 ? fmt::format("{}:{}: ", file, at.line) : fmt::format("{}: ", file);
  }
  // A key that nobody asked for is one that its writer counts on.
  void refuse_unknown_keys() {
    for (auto& unknown : keys.unknown_keys()) notes.faults.push_back(std::move(unknown));
  }
  // The items of a list; none when the key is absent or something else.
  std::vector<const YamlNode*> items(const std::string& key) {
    const auto* node = keys.take(key);
    if (node == nullptr || node->is_null()) return {};
    if (node->kind == YamlNode::Kind::sequence) return node->items;
    keys.wrong_type(key, "a list", *node);
    return {};
  }
};

std::vector<PublicKey> read_public_keys(Reading& read) {
  std::vector<PublicKey> parsed;
  std::size_t number = 0;
  for (const auto* item : read.items("public_keys")) {
    ++number;
    const auto text = trim(item->text);
    if (item->kind == YamlNode::Kind::scalar && text.empty()) continue;
    if (auto key = PublicKey::parse_pem(text))
      parsed.push_back(std::move(*key));
    else
      read.fault(*item, fmt::format("public_keys: item {}: {}", number, key.error().message));
  }
  return parsed;
}

KeylessIdentity read_identity(const YamlNode& node, Reading& list) {
  Reading read(node, list.file, list.notes);
  KeylessIdentity identity;
  for (auto [key, target] : {std::pair("issuer", &identity.issuer), std::pair("subject", &identity.subject),
                             std::pair("subject_regexp", &identity.subject_regexp)}) {
    read.keys.text(key, *target);
    *target = std::string(trim(*target));
  }
  if (auto valid = check_identity(identity); !valid)
    read.fault(node, "keyless_identities: " + valid.error().message);
  else if (auto warning = identity_warning(identity))
    read.notes.warnings.push_back(read.place(node) + *warning);
  read.refuse_unknown_keys();
  return identity;
}

std::vector<KeylessIdentity> read_identities(Reading& read) {
  std::vector<KeylessIdentity> identities;
  for (const auto* item : read.items("keyless_identities")) {
    if (item->kind == YamlNode::Kind::mapping)
      identities.push_back(read_identity(*item, read));
    else
      read.fault(*item, "keyless_identities: expected a mapping of issuer and subject or subject_regexp");
  }
  return identities;
}

void read_optional_flag(Reading& read, const std::string& key, std::optional<bool>& target) {
  const auto* node = read.keys.take(key);
  if (node == nullptr || node->is_null()) return;
  bool value = false;
  read.keys.flag(key, value);
  target = value;
}

}  // namespace

bool TrustOverride::empty() const {
  return !verify && public_keys.empty() && keyless_identities.empty() && !ignore_tlog;
}

json::object to_json(const TrustOverride& wanted) {
  json::object object;
  if (wanted.verify) object["verify"] = *wanted.verify;
  if (wanted.ignore_tlog) object["ignore_tlog"] = *wanted.ignore_tlog;
  json::array keys, identities;
  for (const auto& key : wanted.public_keys) keys.emplace_back(write_pem("PUBLIC KEY", key.der()));
  for (const auto& identity : wanted.keyless_identities)
    identities.push_back(json::object{
        {"issuer", identity.issuer}, {"subject", identity.subject}, {"subject_regexp", identity.subject_regexp}});
  if (!keys.empty()) object["public_keys"] = std::move(keys);
  if (!identities.empty()) object["keyless_identities"] = std::move(identities);
  return object;
}

GlobalTrust parse_trust_policy(std::string_view text, std::string_view file, const TrustNotes& notes) {
  GlobalTrust trust;
  const auto yaml = parse_yaml(text, file);
  if (!yaml) {
    notes.faults.push_back(yaml.error().message);
    return trust;
  }
  if (yaml->documents.empty()) return trust;
  const auto& document = *yaml->documents.front();
  if (yaml->documents.size() > 1 || document.kind != YamlNode::Kind::mapping) {
    notes.faults.push_back(
        fmt::format("{}: expected one mapping of enabled, public_keys, keyless_identities and ignore_tlog", file));
    return trust;
  }
  Reading read(document, file, notes);
  read.keys.flag("enabled", trust.policy.enabled);
  read.keys.flag("ignore_tlog", trust.policy.ignore_tlog);
  read.keys.flag("verify_includes", trust.verify_includes);
  trust.policy.public_keys = read_public_keys(read);
  trust.policy.keyless_identities = read_identities(read);
  read.refuse_unknown_keys();
  return trust;
}

TrustOverride decode_trust_override(const YamlNode& node, std::string_view file, const TrustNotes& notes) {
  TrustOverride wanted;
  if (node.is_null()) return wanted;
  if (node.kind != YamlNode::Kind::mapping) {
    notes.faults.push_back(
        fmt::format("{}:{}: oci: expected a mapping of verify, public_keys, keyless_identities and "
                    "ignore_tlog",
                    file, node.line));
    return wanted;
  }
  Reading read(node, file, notes);
  read_optional_flag(read, "verify", wanted.verify);
  read_optional_flag(read, "ignore_tlog", wanted.ignore_tlog);
  wanted.public_keys = read_public_keys(read);
  wanted.keyless_identities = read_identities(read);
  read.refuse_unknown_keys();
  return wanted;
}

TrustPolicy effective_policy(const TrustPolicy& global, const TrustOverride& wanted) {
  auto policy = global;
  policy.enabled = global.enabled || wanted.verify.value_or(false);
  if (!wanted.public_keys.empty()) policy.public_keys = wanted.public_keys;
  if (!wanted.keyless_identities.empty()) policy.keyless_identities = wanted.keyless_identities;
  const bool log_check_stays = global.enabled && !global.ignore_tlog;
  if (!log_check_stays) policy.ignore_tlog = wanted.ignore_tlog.value_or(global.ignore_tlog);
  return policy;
}

}  // namespace windlass
