#include "config/registry_hooks.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/text.h"
#include "config/mapping_list.h"
#include "config/networks.h"
#include "sys/files.h"

namespace windlass {
namespace {

constexpr std::uint64_t kSecretBytesMax = 64 << 10;
constexpr std::uint64_t kKeySetBytesMax = 256 << 10;

bool is_google(RegistryFormat format) {
  return format == RegistryFormat::gar_pubsub || format == RegistryFormat::gar_unwrapped;
}

bool has_repositories(RegistryFormat format) {
  return format == RegistryFormat::nexus || format == RegistryFormat::jfrog;
}

// False when it is unknown: then nothing else of the entry can be judged.
bool read_format(KeyReader& read, RegistryHook& hook) {
  std::string name;
  read.text("format", name);
  const auto format = parse_registry_format(name);
  if (format) {
    hook.format = *format;
    return true;
  }
  const auto names = registry_format_names();
  read.fault("format", fmt::format("\"{}\" is none of {}", printable(name, 100), fmt::join(names, ", ")));
  return false;
}

void read_secret(KeyReader& read, RegistryHook& hook) {
  std::string secret, file;
  read.text("secret", secret);
  read.text("secret_file", file);
  if (!secret.empty() && !file.empty()) read.fault("secret_file", "give secret or secret_file, not both");
  if (secret.empty() && !file.empty()) {
    const auto content = read_file(file, kSecretBytesMax);
    if (!content) return read.fault("secret_file", content.error().message);
    secret = trim(*content);
    if (secret.empty()) read.fault("secret_file", "the file is empty");
  }
  hook.secret = Secret(std::move(secret));
}

// The token that Google signs, where it takes the place of a secret.
void read_signed_token(KeyReader& read, RegistryHook& hook) {
  read.text("audience", hook.audience);
  read.text("service_account", hook.service_account);
  read.text("jwks_file", hook.jwks_file);
  read.text("jwks_url", hook.jwks_url);
  const bool has_any =
      !hook.audience.empty() || !hook.service_account.empty() || !hook.jwks_file.empty() || !hook.jwks_url.empty();
  if (!has_any) return;
  if (!hook.secret.empty()) read.fault("audience", "give a secret or an audience, not both");
  if (hook.audience.empty()) read.fault("audience", "must be the audience of the push subscription");
  if (hook.service_account.find('@') == std::string::npos)
    read.fault("service_account", "must be the e-mail address of the account that pushes");
  if (hook.jwks_file.empty() == hook.jwks_url.empty())
    read.fault("jwks_url", "give jwks_url or jwks_file: where the keys are that Google signs with");
  if (!hook.jwks_url.empty() && !hook.jwks_url.starts_with("https://"))
    read.fault("jwks_url", "must begin with https://");
  if (!hook.jwks_file.empty() && ::access(hook.jwks_file.c_str(), R_OK) != 0)
    read.fault("jwks_file", fmt::format("cannot read {}", printable(hook.jwks_file, 200)));
}

void read_host(KeyReader& read, RegistryHook& hook) {
  read.text("registry_host", hook.registry_host);
  if (!hook.registry_host.empty()) {
    if (auto host = registry_host(hook.registry_host))
      hook.registry_host = std::move(*host);
    else
      read.fault("registry_host", fmt::format("\"{}\" is not host[:port]", printable(hook.registry_host, 100)));
  } else if (hook.format == RegistryFormat::zot) {
    read.fault("registry_host", "must be given: zot does not tell its own name");
  }
}

void read_repositories(KeyReader& read, RegistryHook& hook) {
  read.map("repositories", hook.repositories);
  if (!hook.repositories.empty() && !has_repositories(hook.format))
    read.fault("repositories", "is for nexus and jfrog only");
  for (auto& [key, place] : hook.repositories) {
    const auto host = registry_host(place.substr(0, place.find('/')));
    if (!host || place.ends_with('/'))
      read.fault("repositories",
                 fmt::format("{}: \"{}\" is not host[:port][/path]", printable(key, 100), printable(place, 100)));
  }
  std::string access;
  read.text("docker_access", access);
  if (access.empty()) return;
  if (hook.format != RegistryFormat::jfrog) read.fault("docker_access", "is for jfrog only");
  if (access == "subdomain")
    hook.docker_access = DockerAccess::subdomain;
  else if (access != "path")
    read.fault("docker_access", fmt::format("\"{}\" is neither path nor subdomain", printable(access, 100)));
}

RegistryHook decode_hook(KeyReader& read) {
  RegistryHook hook;
  if (!read_format(read, hook)) {
    for (const auto* key : {"secret", "secret_file", "header", "allow", "registry_host", "repositories",
                            "docker_access", "audience", "service_account", "jwks_file", "jwks_url"})
      read.take(key);
    return hook;
  }
  read_secret(read, hook);
  if (is_google(hook.format)) read_signed_token(read, hook);
  if (hook.secret.empty() && !hook.wants_signed_token())
    read.fault("secret", is_google(hook.format) ? "must be given, or audience, service_account and jwks_url"
                                                : "must be given, or secret_file");
  if (read.has("header") && proof_of(hook.format) != RegistryProof::header)
    read.fault("header", fmt::format("{} has no header of its own choice", to_string(hook.format)));
  read.text("header", hook.header);
  read.list("allow", hook.allow);
  if (hook.allow.empty())
    read.fault("allow", "must name what may be deployed, such as [\"r.example/team/**\"]; [\"**\"] is everything");
  read_host(read, hook);
  read_repositories(read, hook);
  if (hook.format == RegistryFormat::nexus && hook.repositories.empty() && hook.registry_host.empty())
    read.fault("repositories", "or registry_host must be given: Nexus does not tell where its repositories are");
  return hook;
}

bool has_url_token(const RegistryHook& hook) {
  return proof_of(hook.format) == RegistryProof::url_token && !hook.secret.empty();
}

// Proxies write URLs into their logs: what stands in one must open no other door.
void check_url_tokens(SettingReader& read, const std::vector<RegistryHook>& hooks, const Settings& settings) {
  const std::pair<std::string_view, const Secret&> others[] = {
      {"WEBHOOK_SECRET", settings.webhook_secret},
      {"WEBHOOK_SECRET_PREVIOUS", settings.webhook_secret_previous},
      {"API_SECRET", settings.api_secret},
  };
  const auto check = [&](const RegistryHook& hook, std::string_view name, const Secret& other) {
    if (hook.secret.reveal() == other.reveal())
      read.fault(fmt::format("REGISTRY_WEBHOOKS: the URL token of {} is the secret of {} too: give it one of its own",
                             to_string(hook.format), name));
  };
  for (const auto& hook : hooks) {
    if (!has_url_token(hook)) continue;
    for (const auto& [name, secret] : others) check(hook, name, secret);
    for (const auto& other : hooks)
      if (other.format != hook.format) check(hook, to_string(other.format), other.secret);
  }
}

}  // namespace

std::vector<RegistryHook> parse_registry_hooks(std::string_view text, std::string_view file,
                                               std::vector<std::string>& faults) {
  std::vector<RegistryHook> hooks;
  read_mappings(text, file, "registries", "format", faults,
                [&](KeyReader& read) { hooks.push_back(decode_hook(read)); });
  return hooks;
}

std::vector<RegistryHook> read_registry_hooks(SettingReader& read, const Settings& settings) {
  const auto text = read.secret("REGISTRY_WEBHOOKS");
  if (text.empty()) return {};
  std::vector<std::string> faults;
  auto hooks = parse_registry_hooks(text.reveal(), "REGISTRY_WEBHOOKS", faults);
  for (auto& fault : faults) read.fault(std::move(fault));
  check_url_tokens(read, hooks, settings);
  std::string secrets;  // entries may name files
  for (const auto& hook : hooks) {
    secrets += hook.secret.reveal() + '\n';
    if (!hook.jwks_file.empty()) secrets += read_file(hook.jwks_file, kKeySetBytesMax).value_or("");
  }
  read.note_file("REGISTRY_WEBHOOKS entries", secrets);
  return hooks;
}

}  // namespace windlass
