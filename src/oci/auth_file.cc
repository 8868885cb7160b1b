#include "oci/auth_file.h"

#include <fmt/format.h>

#include <vector>

#include "base/text.h"
#include "sys/crypto.h"
#include "sys/json.h"

namespace windlass {
namespace {

constexpr std::string_view kDockerHub = "index.docker.io";
constexpr std::string_view kDockerHubKey = "https://index.docker.io/v1/";
constexpr std::string_view kPodmansHub = "docker.io";  // in the files of Podman, Skopeo and Buildah

// "https://r.example/v1/" is about r.example: old versions of Docker wrote such keys.
std::string host_of_key(std::string_view key) {
  for (const std::string_view scheme : {"https://", "http://"})
    if (key.starts_with(scheme)) key.remove_prefix(scheme.size());
  return lower(key.substr(0, key.find('/')));
}

// Also of registry-1.docker.io, as Podman reads it.
bool is_hub_of_podman(const Reference& reference, std::string_view host) {
  return reference.registry() == kDockerHub && (host == kPodmansHub || host == "registry-1.docker.io");
}

bool is_key_of_registry(std::string_view key) {
  return key.find("://") != key.npos || key.find('/') == key.npos || key.ends_with("/v1/") || key.ends_with("/v2/");
}

// Exact keys, the most exact first: registry/org/app, registry, registry/org.
std::vector<std::string> keys_of(const Reference& reference) {
  std::vector<std::string> keys{reference.source_id(), server_of(reference)};
  auto parent = reference.source_id();
  while (true) {
    parent.resize(parent.rfind('/'));
    if (parent == reference.registry()) return keys;
    keys.push_back(parent);
  }
}

}  // namespace

std::string server_of(const Reference& reference) {
  return std::string(reference.registry() == kDockerHub ? kDockerHubKey : std::string_view(reference.registry()));
}

Result<AuthFile> AuthFile::parse(std::string_view text) {
  const auto value = parse_json(text);
  if (!value) return tl::unexpected(value.error());
  const auto* object = value->if_object();
  if (!object) return fail(Kind::invalid, "must be a JSON object");
  AuthFile file;
  if (const auto* auths = object_of(*object, "auths")) {
    for (const auto& [key, entry] : *auths) {
      const auto* fields = entry.if_object();
      file.auths_[key] = fields ? parse_entry(key, text_of(*fields, "username"), text_of(*fields, "password"),
                                              text_of(*fields, "auth"), text_of(*fields, "identitytoken"),
                                              text_of(*fields, "registrytoken"))
                                : Entry{Credential(), fmt::format("auths '{}' must be an object", printable(key, 128))};
    }
    for (const auto& [key, entry] : file.auths_)  // parts of Docker Hub; an entry that has our spelling already counts
      if (key.starts_with(fmt::format("{}/", kPodmansHub)) && !is_key_of_registry(key))
        file.auths_.emplace("index." + key, entry);
  }
  if (const auto* helpers = object_of(*object, "credHelpers"))
    for (const auto& [host, name] : *helpers)
      if (name.is_string()) file.helpers_[lower(host)] = name.get_string();
  file.store_ = text_of(*object, "credsStore");
  return file;
}

AuthFile::Entry AuthFile::parse_entry(const std::string& key, std::string_view user, std::string_view password,
                                      std::string_view auth, std::string_view identity_token,
                                      std::string_view registry_token) {
  if (!registry_token.empty()) return {RegistryToken{Secret(std::string(registry_token))}, ""};
  if (!identity_token.empty()) return {IdentityToken{Secret(std::string(identity_token))}, ""};
  if (!user.empty()) return {BasicCredential{std::string(user), Secret(std::string(password))}, ""};
  if (auth.empty()) return {};
  auto decoded = base64_decode(trim(auth));
  const auto fault = [&](std::string_view why) {
    return Entry{Credential(), fmt::format("auth of '{}' {}", printable(key, 128), why)};
  };
  if (!decoded) return fault("is not base64");
  const auto colon = decoded->find(':');
  if (colon == decoded->npos || colon == 0) return fault("is not user:password");
  auto secret = decoded->substr(colon + 1);
  secret.resize(secret.find_last_not_of('\0') + 1);
  return {BasicCredential{decoded->substr(0, colon), Secret(std::move(secret))}, ""};
}

Result<Credential> AuthFile::find(const Reference& reference) const {
  const auto given = [](const Entry& entry) -> Result<Credential> {
    if (!entry.fault.empty()) return fail(Kind::invalid, entry.fault);
    return entry.credential;
  };
  const auto by_host = [&]() -> const Entry* {
    const Entry* of_podman = nullptr;
    for (const auto& [key, entry] : auths_) {
      if (!is_key_of_registry(key)) continue;
      const auto host = host_of_key(key);
      if (host == reference.registry()) return &entry;
      if (!of_podman && is_hub_of_podman(reference, host)) of_podman = &entry;
    }
    return of_podman;
  };
  const auto keys = keys_of(reference);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (const auto entry = auths_.find(keys[i]); entry != auths_.end()) return given(entry->second);
    if (i == 1)  // after the registry's own key come its other spellings, then parents of the repository
      if (const auto* entry = by_host()) return given(*entry);
  }
  return Credential();
}

std::vector<AuthFile::Helper> AuthFile::helpers_for(const Reference& reference) const {
  const auto server = server_of(reference);
  for (const auto& key : {reference.registry(), server})
    if (const auto helper = helpers_.find(key); helper != helpers_.end()) return {{helper->second, server, true}};
  std::vector<Helper> found;
  if (reference.registry() == kDockerHub)  // Docker itself does not read that key, and may have stored elsewhere
    if (const auto helper = helpers_.find(std::string(kPodmansHub)); helper != helpers_.end())
      found.push_back({helper->second, helper->first, false});
  if (!store_.empty()) found.push_back({store_, server, true});
  return found;
}

std::set<std::string> AuthFile::helper_names() const {
  std::set<std::string> names;
  for (const auto& [host, name] : helpers_) names.insert(name);
  if (!store_.empty()) names.insert(store_);
  return names;
}

}  // namespace windlass
