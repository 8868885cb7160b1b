// Settings: the environment read once into a plain struct (config 1, 2). Every fault is found at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "base/secret.h"
#include "config/adopt_allow.h"
#include "config/notification_settings.h"
#include "config/poll_config.h"
#include "config/secret_settings.h"
#include "config/source_path.h"
#include "model/registry_hook.h"
#include "model/registry_rule.h"
#include "sigstore/trust_policy.h"

namespace windlass {

using Environment = std::map<std::string, std::string>;

// The environment of this process.
Environment process_environment();
// Wipes the values of secret settings from what /proc/<pid>/environ shows of this process, which compose files of a
// stack could name as an env_file. getenv() still finds them. Before other threads begin.
void hide_secrets_of_process();

struct Settings {
  LogLevel log_level = LogLevel::info;
  std::uint16_t http_port = 80;
  std::uint16_t metrics_port = 9120;
  std::string http_tls_cert_file, http_tls_key_file;
  std::vector<std::string> trusted_proxy_networks = {"127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
                                                     "::1/128"};  // canonical CIDRs
  std::string trusted_proxy_header = "X-Forwarded-For";
  Secret api_secret;      // empty: no REST API
  Secret webhook_secret;  // empty: no webhook endpoint
  Secret webhook_secret_previous;
  std::uint64_t max_payload_size = 1 << 20;
  unsigned max_concurrent_deployments = 4;
  unsigned max_deployment_loop_count = 2;  // 0: off
  std::string instance_id;                 // "": this is the only one on its engine
  std::string data_mount_path = "/data";
  std::string data_host_path;  // empty: found out by app/
  std::string deploy_config_base_dir = "/";
  bool docker_quiet_deploy = true;
  bool config_strict = false;
  bool restricted = false;                   // DEPLOY_POLICY: stacks may ask nothing of the machine (deploy_policy.h)
  std::vector<AllowedAdoption> adopt_allow;  // none: all adoptions, or if restricted none
  bool allow_provider_services = false;      // services that a program beside compose provides (deploy/X18)
  bool auto_rollback = false;                // of stacks that do not say `rollback` themselves
  bool docker_swarm_features = true;         // a manager of a Swarm is one, whose stacks windlass does not deploy
  std::chrono::milliseconds job_timeout = std::chrono::minutes(30);
  std::chrono::milliseconds shutdown_grace = std::chrono::seconds(60);
  std::uint64_t oci_max_extracted_bytes = 1ull << 30;
  std::uint64_t oci_max_extracted_entries = 100'000;
  std::uint64_t oci_max_file_bytes = 512ull << 20;
  std::vector<std::string> oci_insecure_registries;  // "host[:port]", lower case
  std::vector<RegistryRule> oci_registries;          // of OCI_REGISTRIES_FILE
  std::vector<std::string> oci_allowed_artifacts;    // globs (oci 2)
  TrustPolicy oci_trust_policy;                      // of every artifact (oci 11)
  bool oci_verify_includes = true;                   // while that policy is enabled
  std::string oci_trusted_root_file;                 // empty: none; read again when it changes
  unsigned oci_verify_max_workers = 1;
  std::string docker_host, docker_cert_path, docker_api_version;  // as given
  bool docker_tls_verify = false;
  std::string docker_config_dir;  // DOCKER_CONFIG, else $HOME/.docker
  Secret docker_auth_config;      // DOCKER_AUTH_CONFIG
  bool pass_env = false;
  std::vector<std::string> pass_env_allow;   // names, or their beginnings with a * behind; empty: all but secrets
  std::vector<RegistryHook> registry_hooks;  // REGISTRY_WEBHOOKS
  std::vector<PollConfig> polls;             // POLL_CONFIG
  NotificationSettings notifications;        // APPRISE_*
  SecretSettings secrets;                    // SECRET_*

  std::vector<std::string> warnings;  // to be logged once at start
  // Of each variable that names a file whose content was read: SHA-256 of that, "" where there is none.
  std::map<std::string, std::string> file_hashes;
};

// What other folders know better. Asked while the settings are read, so that a person sees all faults at once; what is
// left out finds none.
struct SettingChecks {
  ArtifactCheck is_artifact;                                            // of the references of POLL_CONFIG
  Decrypt decrypt;                                                      // of the contents of *_FILE settings
  std::function<std::vector<std::string>(const Settings&)> of_service;  // faults that the service would find later
};

struct SettingsError {
  std::vector<std::string> faults;  // all of them, each names the variable and the rule
};

// Reads settings and the *_FILE twins. A variable of config 2 that windlass does not have yet and that is set to
// something else than its default is a fault that names it, never ignored.
tl::expected<Settings, SettingsError> read_settings(const Environment& environment, const SettingChecks& checks = {});

// The same as far as they can be read: what breaks its rule has its default, and so has what an encrypted file says.
// For the helper of a process that has read them without a fault: files may have changed since.
Settings readable_settings(const Environment& environment);

}  // namespace windlass
