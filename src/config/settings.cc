#include "config/settings.h"

#include <fmt/format.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>
#include <system_error>

#include "base/text.h"
#include "config/misspelt_settings.h"
#include "config/networks.h"
#include "config/passed_environment.h"
#include "config/registries_file.h"
#include "config/registry_hooks.h"
#include "config/setting_reader.h"
#include "config/trust_settings.h"
#include "config/unbuilt_settings.h"
#include "sys/json.h"
#include "sys/proxy.h"

extern char** environ;

namespace windlass {
namespace {

namespace fs = std::filesystem;

constexpr SettingReader::Range kPorts{1, 65535};
constexpr SettingReader::Range kBytes{1, std::numeric_limits<std::int64_t>::max()};
// Of references and targets, and * of a pattern.
constexpr std::string_view kPatternCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:/#*";
constexpr std::size_t kGoodSecretBytes = 16;  // below that a secret can be guessed or is a placeholder

void add_once(std::vector<std::string>& list, std::string item) {
  if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(std::move(item));
}

void read_log_level(SettingReader& read, Settings& settings) {
  const auto value = read.text("LOG_LEVEL");
  if (value.empty()) return;
  if (const auto level = parse_log_level(value))
    settings.log_level = *level;
  else
    read.fault(fmt::format("LOG_LEVEL: {}: invalid log level, must be one of debug, info, warn, error", shown(value)));
}

void read_ports(SettingReader& read, Settings& settings) {
  read.number("HTTP_PORT", kPorts, settings.http_port);
  read.number("METRICS_PORT", kPorts, settings.metrics_port);
  if (settings.http_port == settings.metrics_port)
    read.fault("HTTP_PORT and METRICS_PORT cannot be the same port number");
}

void check_readable(SettingReader& read, const std::string& name, const std::string& path) {
  if (path.empty() || ::access(path.c_str(), R_OK) == 0) return;
  read.fault(fmt::format("{}: cannot read {}: {}", name, shown(path), std::generic_category().message(errno)));
}

void read_tls(SettingReader& read, Settings& settings) {
  settings.http_tls_cert_file = trim(read.text("HTTP_TLS_CERT_FILE"));
  settings.http_tls_key_file = trim(read.text("HTTP_TLS_KEY_FILE"));
  if (settings.http_tls_cert_file.empty() != settings.http_tls_key_file.empty())
    read.fault("HTTP_TLS_CERT_FILE and HTTP_TLS_KEY_FILE must be set together");
  check_readable(read, "HTTP_TLS_CERT_FILE", settings.http_tls_cert_file);
  check_readable(read, "HTTP_TLS_KEY_FILE", settings.http_tls_key_file);
}

void read_proxies(SettingReader& read, Settings& settings) {
  if (read.is_set("TRUSTED_PROXY_NETWORKS")) settings.trusted_proxy_networks.clear();
  for (const auto& item : read.list("TRUSTED_PROXY_NETWORKS")) {
    if (auto network = canonical_network(item))
      add_once(settings.trusted_proxy_networks, std::move(*network));
    else
      read.fault(fmt::format("TRUSTED_PROXY_NETWORKS: invalid trusted proxy network {}: expected CIDR", shown(item)));
  }
  const auto header = read.text("TRUSTED_PROXY_HEADER");
  const auto is_token_character = [](unsigned char c) {
    return std::isalnum(c) || std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
  };
  if (!std::all_of(header.begin(), header.end(), is_token_character))
    read.fault(fmt::format("TRUSTED_PROXY_HEADER: {} is not the name of an HTTP header", shown(header)));
  else if (!header.empty())
    settings.trusted_proxy_header = header;
}

// The proxy of our own requests is found by the HTTP client itself; a wrong one must not surface at the first pull.
// It may hold a password, so it is not shown.
void check_proxies(SettingReader& read) {
  for (const auto* name : {"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"})
    if (const auto value = read.text(name); !value.empty() && !is_proxy_url(value))
      read.fault(fmt::format("{}: not the URL of a proxy, http://host:port", name));
}

void warn_about_weak_secret(SettingReader& read, const std::string& name, const Secret& secret) {
  const auto value = read.text(name);
  if (value != trim(value)) read.warn(name + " begins or ends with white space, which counts as part of the secret");
  if (!secret.empty() && secret.reveal().size() < kGoodSecretBytes)
    read.warn(fmt::format("{} is short ({} bytes): use at least {} random ones", name, secret.reveal().size(),
                          kGoodSecretBytes));
}

void read_secrets(SettingReader& read, Settings& settings) {
  settings.api_secret = read.secret("API_SECRET");
  settings.webhook_secret = read.secret("WEBHOOK_SECRET");
  settings.webhook_secret_previous = read.secret("WEBHOOK_SECRET_PREVIOUS");
  warn_about_weak_secret(read, "API_SECRET", settings.api_secret);
  warn_about_weak_secret(read, "WEBHOOK_SECRET", settings.webhook_secret);
  if (settings.webhook_secret.empty() && !settings.webhook_secret_previous.empty())
    read.warn("WEBHOOK_SECRET_PREVIOUS has no effect without WEBHOOK_SECRET");
}

std::string cleaned(const std::string& path) {
  auto text = fs::path(path).lexically_normal().string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  if (text.starts_with("//")) text.erase(0, 1);
  return text;
}

void read_data_path(SettingReader& read, const std::string& name, std::string& target) {
  const std::string value(trim(read.text(name)));
  if (value.empty()) return;
  target = cleaned(value);
  if (!target.starts_with('/')) read.fault(fmt::format("{} must be an absolute Unix path, got {}", name, shown(value)));
}

void read_base_dir(SettingReader& read, Settings& settings) {
  const auto value = read.text("DEPLOY_CONFIG_BASE_DIR");
  if (value.empty()) return;
  // relative on purpose: a leading ".." survives the cleaning of a relative path only
  const auto relative = fs::path("./" + value).lexically_normal();
  if (*relative.begin() == "..")
    read.fault(fmt::format("DEPLOY_CONFIG_BASE_DIR: {} leaves the source", shown(value)));
  else
    settings.deploy_config_base_dir = cleaned("/" + relative.string());
}

// oci 6: said once per start.
void warn_about_insecure_registries(SettingReader& read, const Settings& settings) {
  auto insecure = settings.oci_insecure_registries;
  for (const auto& entry : settings.oci_registries)
    if (entry.insecure) insecure.push_back(entry.location);
  if (!insecure.empty())
    read.warn(
        fmt::format("no certificate is checked of these registries, and credentials go to them over plain HTTP: {}",
                    join(insecure, ", ")));
}

void read_artifact_rules(SettingReader& read, Settings& settings) {
  read.number("OCI_MAX_EXTRACTED_BYTES", kBytes, settings.oci_max_extracted_bytes);
  read.number("OCI_MAX_EXTRACTED_ENTRIES", kBytes, settings.oci_max_extracted_entries);
  read.number("OCI_MAX_FILE_BYTES", kBytes, settings.oci_max_file_bytes);
  for (const auto& item : read.list("OCI_INSECURE_REGISTRIES")) {
    if (auto host = registry_host(item))
      add_once(settings.oci_insecure_registries, std::move(*host));
    else
      read.fault(fmt::format("OCI_INSECURE_REGISTRIES: invalid OCI insecure registry {}: expected host or host:port",
                             shown(item)));
  }
  settings.oci_registries = read_registries_file(read);
  warn_about_insecure_registries(read, settings);
  for (auto& item : read.list("OCI_ALLOWED_ARTIFACTS")) {
    const bool is_url = item.find("://") != item.npos;
    const bool has_odd_characters = item.find_first_not_of(kPatternCharacters) != item.npos;
    if (is_url || has_odd_characters)
      read.fault(
          fmt::format("OCI_ALLOWED_ARTIFACTS: {} is not a pattern of registry/repository[#target]: * and ** stand for "
                      "anything, nothing else does",
                      shown(item)));
    else
      add_once(settings.oci_allowed_artifacts, std::move(item));
  }
}

void read_engine(SettingReader& read, Settings& settings) {
  settings.docker_host = read.text("DOCKER_HOST");
  if (const auto context = read.text("DOCKER_CONTEXT"); !context.empty() && context != "default")
    read.warn(fmt::format("DOCKER_CONTEXT: {} is not used: DOCKER_HOST names the engine", shown(context)));
  settings.docker_cert_path = read.text("DOCKER_CERT_PATH");
  settings.docker_api_version = read.text("DOCKER_API_VERSION");
  settings.docker_tls_verify = read.is_set("DOCKER_TLS_VERIFY");  // Docker's own rule: "0" and "false" switch it on too
  settings.docker_config_dir = read.text("DOCKER_CONFIG");
  if (settings.docker_config_dir.empty() && read.is_set("HOME"))
    settings.docker_config_dir = read.text("HOME") + "/.docker";
  settings.docker_auth_config = Secret(read.text("DOCKER_AUTH_CONFIG"));
  if (settings.docker_auth_config.empty()) return;
  const auto parsed = parse_json(settings.docker_auth_config.reveal());
  if (!parsed || !parsed->is_object()) read.fault("DOCKER_AUTH_CONFIG: not a JSON object");
}

bool is_zone(const std::string& name) {
  const auto* folder = ::getenv("TZDIR");
  const fs::path zones = folder != nullptr ? folder : "/usr/share/zoneinfo";
  std::error_code ignored;
  return fs::is_regular_file(zones / name, ignored);
}

// What libraries read by themselves, and of which they say nothing when it is wrong. A log in UTC stops nobody.
void check_surroundings(SettingReader& read) {
  check_readable(read, "SSL_CERT_FILE", read.text("SSL_CERT_FILE"));
  auto zone = read.text("TZ");
  if (zone.starts_with(':')) zone.erase(0, 1);
  const bool is_rule = zone.find_first_of("0123456789") != zone.npos;  // "CET-1CEST,M3.5.0,M10.5.0/3"
  if (!zone.empty() && !is_rule && !is_zone(zone))
    read.warn(fmt::format("TZ: {} is no time zone of this machine: the log is in UTC", shown(zone)));
}

// config 11. The text may hold environment values of inline deployments, so it is treated as a secret.
void read_polls(SettingReader& read, const ArtifactCheck& is_artifact, Settings& settings) {
  const auto text =
      read.secret("POLL_CONFIG", "both POLL_CONFIG and POLL_CONFIG_FILE are set, please use one or the other");
  if (text.empty()) return;
  const auto* variable =
      read.is_set("POLL_CONFIG_FILE") && !read.is_set("POLL_CONFIG") ? "POLL_CONFIG_FILE" : "POLL_CONFIG";
  PollFaults faults;
  const ArtifactCheck any = [](std::string_view) { return Status(); };
  settings.polls = read_poll_configs(text.reveal(), variable, is_artifact ? is_artifact : any, faults);
  if (settings.config_strict)
    faults.invalid.insert(faults.invalid.end(), faults.warnings.begin(), faults.warnings.end());
  for (const auto* list : {&faults.undecodable, &faults.invalid})
    for (const auto& fault : *list) read.fault(fmt::format("invalid poll configuration: {}", fault));
  if (settings.config_strict) return;
  for (const auto& warning : faults.warnings) read.warn(fmt::format("poll configuration: {}", warning));
}

void read_pass_env_allow(SettingReader& read, Settings& settings) {
  settings.pass_env_allow = read.list("PASS_ENV_ALLOW");
  for (const auto& name : settings.pass_env_allow) {
    const auto is_part = [](unsigned char c) { return std::isalnum(c) || c == '_'; };
    const auto plain = std::string_view(name).substr(0, name.ends_with('*') ? name.size() - 1 : name.size());
    if (plain.empty() || !std::all_of(plain.begin(), plain.end(), is_part))
      read.fault(
          fmt::format("PASS_ENV_ALLOW: {} is neither the name of a variable nor its beginning with a *", shown(name)));
    else if (!name.ends_with('*') && is_withheld(name))
      read.fault(fmt::format("PASS_ENV_ALLOW: {} is a secret of windlass and is never passed", shown(name)));
  }
  if (!settings.pass_env_allow.empty() && !settings.pass_env)
    read.warn("PASS_ENV_ALLOW has no effect without PASS_ENV");
}

// A policy that is misspelt must never be one that is off.
void read_deploy_policy(SettingReader& read, Settings& settings) {
  const auto value = read.text("DEPLOY_POLICY");
  settings.restricted = value == "restricted";
  if (!value.empty() && value != "compat" && value != "restricted")
    read.fault(fmt::format("DEPLOY_POLICY: {}: must be compat or restricted", shown(value)));
}

void read_service_rules(SettingReader& read, Settings& settings) {
  read.number("MAX_PAYLOAD_SIZE", kBytes, settings.max_payload_size);
  read.number("MAX_CONCURRENT_DEPLOYMENTS", {1, std::numeric_limits<std::int32_t>::max()},
              settings.max_concurrent_deployments);
  read.duration("JOB_TIMEOUT", std::chrono::seconds(1), settings.job_timeout);
  read.duration("SHUTDOWN_GRACE", std::chrono::seconds(0), settings.shutdown_grace);
  read.flag("DOCKER_QUIET_DEPLOY", settings.docker_quiet_deploy);
  read.flag("CONFIG_STRICT", settings.config_strict);
  read.flag("ALLOW_PROVIDER_SERVICES", settings.allow_provider_services);
  read.flag("AUTO_ROLLBACK", settings.auto_rollback);
  read.flag("PASS_ENV", settings.pass_env);
  read_pass_env_allow(read, settings);
  read_deploy_policy(read, settings);
  read.number("MAX_DEPLOYMENT_LOOP_COUNT", {0, std::numeric_limits<std::uint32_t>::max()},
              settings.max_deployment_loop_count);
  settings.instance_id = read.text("INSTANCE_ID");
  const auto is_fit = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.'; };
  if (settings.instance_id.size() > 64 || !std::ranges::all_of(settings.instance_id, is_fit))
    read.fault(fmt::format("INSTANCE_ID: \"{}\" is not a name of up to 64 letters, digits and -_.",
                           printable(settings.instance_id, 80)));
  read.flag("DOCKER_SWARM_FEATURES", settings.docker_swarm_features);
  bool without_effect = false;
  for (const auto* name : {"SCHEDULER_ENABLED", "API_ALLOW_UNMANAGED"}) read.flag(name, without_effect);
}

Settings read_all(SettingReader& read, const ArtifactCheck& is_artifact) {
  Settings settings;
  read_log_level(read, settings);
  read_ports(read, settings);
  read_tls(read, settings);
  read_proxies(read, settings);
  check_proxies(read);
  read_secrets(read, settings);
  read_data_path(read, "DATA_MOUNT_PATH", settings.data_mount_path);
  read_data_path(read, "DATA_HOST_PATH", settings.data_host_path);
  read_base_dir(read, settings);
  read_service_rules(read, settings);
  settings.adopt_allow = read_adopt_allow(read, is_artifact);
  read_artifact_rules(read, settings);
  settings.registry_hooks = read_registry_hooks(read, settings);
  read_engine(read, settings);
  check_surroundings(read);
  read_polls(read, is_artifact, settings);
  settings.notifications = read_notification_settings(read);
  settings.secrets = read_secret_settings(read);
  read_trust_settings(read, settings);  // after the polls, whose deployments have policies of their own
  refuse_unbuilt_settings(read);
  return settings;
}

}  // namespace

Environment process_environment() {
  Environment environment;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view entry = *at;
    const auto equals = entry.find('=');
    if (equals != entry.npos) environment.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return environment;
}

void hide_secrets_of_process() {
  for (char** at = environ; *at != nullptr; ++at) {
    char* const shown = *at;
    char* const equals = std::strchr(shown, '=');
    if (equals == nullptr || !is_withheld(std::string_view(shown, static_cast<std::size_t>(equals - shown)))) continue;
    char* const copy = ::strdup(shown);  // for as long as the process lives, as the environment is
    if (copy == nullptr) continue;
    *at = copy;
    ::explicit_bzero(equals + 1, std::strlen(equals + 1));
  }
}

tl::expected<Settings, SettingsError> read_settings(const Environment& environment, const SettingChecks& checks) {
  SettingReader read(environment, checks.decrypt);
  auto settings = read_all(read, checks.is_artifact);
  if (checks.of_service)
    for (auto& fault : checks.of_service(settings)) read.fault(std::move(fault));
  const auto misspelt = misspelt_settings(read, settings);
  if (!read.faults().empty()) {  // what is missing may be there under another name
    for (const auto& line : misspelt) read.fault(line);
    return tl::unexpected(SettingsError{std::move(read.faults())});
  }
  for (const auto& line : misspelt) read.warn(line);
  settings.warnings = std::move(read.warnings());
  settings.file_hashes = std::move(read.file_hashes());
  return settings;
}

Settings readable_settings(const Environment& environment) {
  SettingReader read(environment);
  return read_all(read, {});
}

}  // namespace windlass
