// Deployment configuration: .doco-cd.yaml as plain structs (config 3, 4, 12). No network, no engine.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/source_path.h"
#include "config/trust_policy.h"
#include "model/reconciliation_rule.h"
#include "model/rollback_rule.h"
#include "model/secret_reference.h"
#include "model/stack_id.h"

namespace windlass {

// Key `destroy`: the stack is taken down instead of deployed (config 9).
struct Destroy {
  bool enabled = false;
  bool remove_volumes = true;
  bool remove_images = true;
  bool remove_dir = true;    // the live directory, as far as releases put it there and nothing else needs it
  bool remove_data = false;  // and what containers wrote into it
  bool operator==(const Destroy&) const = default;
};

// Key `auto_discovery`: a stack in every folder with a compose file (config 7).
struct AutoDiscovery {
  bool enabled = false;
  int depth = 0;                                      // levels below working_dir; 0: all
  bool remove = false;                                // key `delete`: take stacks down whose folder is gone
  bool remove_volumes = false, remove_images = true;  // with them
  bool remove_all = false;                            // key `delete_all`: also when all of them are gone at once
  bool operator==(const AutoDiscovery&) const = default;
};

// Key `build`: how images of services with a `build` are made.
struct BuildRule {
  bool force_image_pull = false;  // of base images
  bool no_cache = false;
  bool quiet = false;
  std::map<std::string, std::string> args;  // over those of the compose files; values may be secret
  bool operator==(const BuildRule&) const = default;
};

// Key `timeout`: whoever writes an artifact has a job last so much longer.
inline constexpr int kTimeoutSecondsMax = 24 * 60 * 60;

// One document of the file: one stack, until discover_stacks() has made several of it.
struct DeployConfig {
  std::string name;
  std::string version = "doco.v1";
  std::string reference;                   // for OCI runs overwritten by the artifact's tag or digest
  std::string working_dir = ".";           // relative to the source root, cleaned, never leaves it
  std::string context;                     // Docker context of its engine; "": the default one
  bool remote_paths = false;               // an engine on another machine has our files at the same paths
  std::vector<std::string> compose_files;  // relative to working_dir
  bool compose_files_are_default = true;   // then every one that exists counts
  std::map<std::string, std::string> environment;
  SecretReferences external_secrets;  // variables over `environment`, whose values a deployment fetches
  std::vector<std::string> env_files = {".env"};
  bool env_files_are_default = true;  // then a missing .env is fine
  std::vector<std::string> profiles;
  bool remove_orphans = true;
  bool force_recreate = false;
  bool force_image_pull = false;
  bool prune_images = true;  // images of old releases that nothing needs any more
  bool adopt = false;        // takes over a stack of that name which belongs to somebody else
  BuildRule build;
  int timeout_seconds = 180;   // 0: 30 s (config 4)
  std::string webhook_filter;  // RE2, checked at load
  Destroy destroy;
  AutoDiscovery auto_discovery;
  bool is_discovered = false;            // found by auto_discovery
  bool is_inline = false;                // an operator wrote it, not the artifact: `environment` is nobody's business
  std::optional<RollbackRule> rollback;  // nothing: AUTO_ROLLBACK decides
  ReconciliationRule reconciliation;
  TrustOverride trust;  // key `oci`; empty unless an operator wrote the document (oci 11.1)
  std::string text;     // this document in canonical form: equal text, equal config

  StackId id() const { return {.name = name, .context = context}; }
};

// True if the filter is empty or matches `ref` (unanchored; webhook/F4 to F7).
bool filter_matches(const DeployConfig& config, const std::string& ref);

struct DeployConfigs {
  std::string file;                        // name of the file that was read, ".doco-cd.yaml"
  std::vector<DeployConfig> stacks;        // in the order of the documents
  std::vector<AutoDiscovery> discoveries;  // of the documents that stood for several stacks
  std::vector<std::string> warnings;       // unknown keys with path, line and the nearest known key; ignored files
};

struct DeployConfigOptions {
  std::string base_dir = "/";  // DEPLOY_CONFIG_BASE_DIR, under the source root
  bool strict = false;         // CONFIG_STRICT: unknown keys are errors
};

// Reads the configuration of `target` ("" for none) from an unpacked artifact: in `base_dir`, else at its root. Every
// path is opened beneath the root; the config file must be a regular file. Messages are the stable texts of config 3, 4
// and oci 7, with file, line and key, all faults of the file in one: "invalid deploy configuration: failed to decode
// yaml: .doco-cd.yaml:3: timeout: expected an integer, got text \"180\"". Keys of config 4 that windlass does not have
// yet are faults when they ask for something.
Result<DeployConfigs> load_deploy_configs(const SourceFiles& files, const std::string& target,
                                          const DeployConfigOptions& options);

// The compose files of a stack that exist, relative to the source root; errors as in config 4 (`compose_files`).
Result<std::vector<std::string>> find_compose_files(const std::filesystem::path& root, const DeployConfig& config);

// Can the compose file be read at all, within what reliability 8 allows any YAML? compose itself takes a minute over a
// file whose aliases repeat each other. `path`: as find_compose_files() gives it.
Status check_compose_file(const SourceFiles& files, const std::string& path);

// The interpolation environment of config 6 in windlass order: `environment` over `process` (only with PASS_ENV) over
// env files, later over earlier. Env files are read beneath the root, in the dotenv dialect of compose.
Result<std::map<std::string, std::string>> interpolation_environment(const SourceFiles& files,
                                                                     const DeployConfig& config,
                                                                     const std::map<std::string, std::string>& process);

}  // namespace windlass
