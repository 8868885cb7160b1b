#include "deploy/deploy_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/text.h"
#include "deploy/model_paths.h"
#include "deploy/planning.h"

namespace windlass {
namespace {

using Names = std::span<const std::string_view>;

// What reaches no further than the stack itself, whatever its value. Sorted.
constexpr std::string_view kHarmless[] = {"attach",
                                          "blkio_config",
                                          "cap_drop",
                                          "command",
                                          "container_name",
                                          "cpu_count",
                                          "cpu_percent",
                                          "cpu_period",
                                          "cpu_quota",
                                          "cpu_shares",
                                          "cpus",
                                          "cpuset",
                                          "depends_on",
                                          "develop",
                                          "dns",
                                          "dns_opt",
                                          "dns_search",
                                          "domainname",
                                          "entrypoint",
                                          "environment",
                                          "expose",
                                          "extra_hosts",
                                          "group_add",
                                          "healthcheck",
                                          "hostname",
                                          "image",
                                          "init",
                                          "labels",
                                          "links",
                                          "mac_address",
                                          "mem_limit",
                                          "mem_reservation",
                                          "mem_swappiness",
                                          "memswap_limit",
                                          "pids_limit",
                                          "platform",
                                          "ports",
                                          "profiles",
                                          "pull_policy",
                                          "read_only",
                                          "restart",
                                          "scale",
                                          "shm_size",
                                          "stdin_open",
                                          "stop_grace_period",
                                          "stop_signal",
                                          "storage_opt",
                                          "tmpfs",
                                          "tty",
                                          "ulimits",
                                          "user",
                                          "working_dir"};
constexpr std::string_view kHarmlessOfBuild[] = {"args", "dockerfile_inline", "labels",   "no_cache", "platforms",
                                                 "pull", "secrets",           "shm_size", "target"};
constexpr std::string_view kHarmlessOfBinds[] = {"create_host_path", "selinux"};
constexpr std::string_view kHarmlessOfEndpoints[] = {"aliases",      "gw_priority",    "interface_name", "ipv4_address",
                                                     "ipv6_address", "link_local_ips", "mac_address",    "priority"};
constexpr std::string_view kHarmlessLogDrivers[] = {"json-file", "local", "none"};
constexpr std::string_view kHarmlessLogOptions[] = {
    "compress", "env", "env-regex", "labels", "labels-regex", "max-buffer-size", "max-file", "max-size", "mode", "tag"};
constexpr std::string_view kKnownOfDeploy[] = {"endpoint_mode",  "labels",          "mode",
                                               "placement",      "replicas",        "resources",
                                               "restart_policy", "rollback_config", "update_config"};
constexpr std::string_view kHarmlessOfVolumes[] = {"external", "labels", "name"};  // name and external are judged apart
constexpr std::string_view kSections[] = {"configs", "name", "networks", "secrets", "services", "version", "volumes"};
constexpr std::string_view kHarmlessOfFiles[] = {"content", "environment", "labels", "name"};
constexpr std::string_view kHarmlessOfNetworks[] = {"attachable", "enable_ipv4", "enable_ipv6", "external",
                                                    "internal",   "labels",      "name"};

bool is_one_of(std::string_view key, Names names) {
  return key.starts_with("x-") || std::find(names.begin(), names.end(), key) != names.end();
}

// null, false, "", [] and {} ask for nothing.
bool asks_for_something(const json::value& value) {
  if (value.is_null()) return false;
  if (value.is_bool()) return value.get_bool();
  if (value.is_string()) return !value.get_string().empty();
  if (value.is_array()) return !value.get_array().empty();
  if (value.is_object()) return !value.get_object().empty();
  return true;
}

std::string_view as_text(const json::value& value) {
  return value.is_string() ? std::string_view(value.get_string()) : std::string_view();
}

class Judge {
 public:
  Judge(std::string_view project, std::string_view root) : project_(project), root_(root) {}

  void judge(const json::object& model) {
    for_each(model, "services", "service", [&](const json::object& service) { judge_service(service); });
    for_each(model, "volumes", "volume", [&](const json::object& volume) { judge_volume(volume); });
    for_each(model, "networks", "network", [&](const json::object& network) { judge_network(network); });
    for (const auto* section : {"secrets", "configs"})
      for_each(model, section, std::string_view(section) == "secrets" ? "secret" : "config",
               [&](const json::object& file) { judge_file(file); });
    for (const auto& member : model)
      if (!is_one_of(member.key(), kSections))
        faults_.push_back(fmt::format("policy: {}", printable(member.key(), 64)));
  }

  Status verdict() const {
    if (faults_.empty()) return {};
    return fail(Kind::denied, join(faults_, "; "));
  }

 private:
  template <typename Function>
  void for_each(const json::object& model, std::string_view section, std::string_view kind, const Function& function) {
    const auto* entries = object_of(model, section);
    if (entries == nullptr) return;
    for (const auto& entry : *entries) {
      at_ = fmt::format("{} {}", kind, printable(entry.key(), 256));
      key_ = entry.key();
      if (const auto* object = entry.value().if_object()) function(*object);
    }
  }

  // Compose leaves an absolute path as it is written.
  bool is_inside(std::string_view path) const {
    return path_below(root_, std::filesystem::path(path).lexically_normal().string()).has_value();
  }

  void deny(std::string_view feature) { faults_.push_back(fmt::format("policy: {}: {}", at_, feature)); }

  void judge_service(const json::object& service) {
    for (const auto& member : service) {
      const std::string_view key = member.key();
      const auto& value = member.value();
      if (std::binary_search(std::begin(kHarmless), std::end(kHarmless), key) || key.starts_with("x-") ||
          !asks_for_something(value))
        continue;
      if (key == "volumes")
        judge_mounts(value);
      else if (key == "build")
        judge_build(service, value);
      else if (key == "post_start" || key == "pre_stop")
        judge_hooks(key, value);
      else if (key == "deploy")
        judge_deploy(value);
      else if (key == "logging")
        judge_logging(value);
      else if (key == "networks")
        judge_endpoints(value);
      else if (key == "secrets" || key == "configs")
        continue;  // what they are of is judged where it is declared
      else if (!is_fine_value(key, value))
        deny(as_text(value).empty() ? printable(key, 64) : fmt::format("{} {}", key, printable(as_text(value), 200)));
    }
  }

  // Keys that hold what is harmless or not by their value.
  static bool is_fine_value(std::string_view key, const json::value& value) {
    const auto text = as_text(value);
    const bool is_of_stack = text.starts_with("service:");
    if (key == "network_mode") return is_of_stack || text == "bridge" || text == "none";
    if (key == "ipc") return is_of_stack || text == "private" || text == "shareable" || text == "none";
    if (key == "pid") return is_of_stack;
    if (key == "cgroup") return text == "private";
    if (key == "oom_score_adj") return value.is_int64() && value.get_int64() >= 0;  // below, others are ended first
    if (key != "security_opt" || !value.is_array()) return false;
    constexpr std::string_view kOnlyLess[] = {"no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"};
    return std::ranges::all_of(value.get_array(), [&](const json::value& option) {
      return std::ranges::count(kOnlyLess, as_text(option)) > 0;
    });
  }

  void judge_mounts(const json::value& mounts) {
    if (!mounts.is_array()) return deny("volumes");
    for (const auto& item : mounts.get_array()) {
      const auto* mount = item.if_object();
      const auto type = mount == nullptr ? std::string_view() : text_of(*mount, "type");
      if (type == "volume" || type == "tmpfs" || type == "image") continue;
      if (type == "bind")
        judge_bind(*mount);
      else
        deny(fmt::format("volumes of type {}", printable(type, 64)));
    }
  }

  // A container that may write into the live directory can leave a link there, which the engine follows to any place of
  // the machine when another service mounts it, or has a file of secrets or configs behind it.
  void judge_bind(const json::object& mount) {
    const auto source = printable(text_of(mount, "source"), 200);
    const auto* read_only = mount.if_contains("read_only");
    if (!is_inside(text_of(mount, "source")))
      deny(fmt::format("bind mount of {}", source));
    else if (read_only == nullptr || !read_only->is_bool() || !read_only->get_bool())
      deny(fmt::format("writable bind mount of {} (use a volume, or read_only: true)", source));
    if (const auto* options = object_of(mount, "bind"))
      for (const auto& option : *options)
        if (!is_one_of(option.key(), kHarmlessOfBinds) && asks_for_something(option.value()))
          deny(fmt::format("bind mount of {} with {}", source, printable(option.key(), 64)));
  }

  // Other drivers connect to sockets and read files of the machine, and so do options where the engine's default is one
  // of them: only those are let through that say how own lines are kept.
  void judge_logging(const json::value& value) {
    const auto* logging = value.if_object();
    if (logging == nullptr) return deny("logging");
    for (const auto& member : *logging) {
      const std::string_view key = member.key();
      if (!asks_for_something(member.value()) || key.starts_with("x-")) continue;
      if (key == "driver" && std::ranges::count(kHarmlessLogDrivers, as_text(member.value())) > 0) continue;
      const auto* options = key == "options" ? member.value().if_object() : nullptr;
      if (options == nullptr)
        deny(fmt::format("logging.{} {}", printable(key, 64), printable(as_text(member.value()), 200)));
      else
        for (const auto& option : *options)
          if (std::ranges::count(kHarmlessLogOptions, std::string_view(option.key())) == 0)
            deny(fmt::format("logging.options.{}", printable(option.key(), 64)));
    }
  }

  // An address needs a subnet that the model gives its network, which is refused there. Options of the driver are
  // `sysctls` by another way.
  void judge_endpoints(const json::value& value) {
    const auto* endpoints = value.if_object();
    if (endpoints == nullptr) return deny("networks");
    for (const auto& endpoint : *endpoints)
      if (const auto* members = endpoint.value().if_object())
        for (const auto& member : *members)
          if (!is_one_of(member.key(), kHarmlessOfEndpoints) && asks_for_something(member.value()))
            deny(fmt::format("networks.{}.{}", printable(endpoint.key(), 256), printable(member.key(), 64)));
  }

  // What is built takes its name from whatever had it: of another stack, or one that others pull.
  void judge_build(const json::object& service, const json::value& value) {
    const auto* build = value.if_object();
    if (build == nullptr) return deny("build");
    if (const auto image = text_of(service, "image"); !image.empty() && image != image_of(project_, key_, {}))
      deny(fmt::format("build of image {} (leave out image)", printable(image, 200)));
    for (const auto& member : *build) {
      const std::string_view key = member.key();
      if (is_one_of(key, kHarmlessOfBuild) || !asks_for_something(member.value())) continue;
      if (key == "context")
        judge_context("build.context", as_text(member.value()));
      else if (key == "dockerfile")
        judge_dockerfile(text_of(*build, "context"), as_text(member.value()));
      else if (key == "cache_from")
        judge_cache(member.value());
      else if (key == "additional_contexts" && member.value().is_object())
        for (const auto& context : member.value().get_object())
          judge_context("build.additional_contexts", as_text(context.value()));
      else
        deny(fmt::format("build.{}", printable(key, 64)));
    }
  }

  void judge_context(std::string_view what, std::string_view context) {
    if (!context.starts_with("service:") && !is_inside(context))
      deny(fmt::format("{} {}", what, printable(context, 200)));
  }

  // Relative to the context.
  void judge_dockerfile(std::string_view context, std::string_view file) {
    if (!is_inside((std::filesystem::path(context) / file).string()))
      deny(fmt::format("build.dockerfile {}", printable(file, 200)));
  }

  // Other types read folders and have credentials of clouds.
  void judge_cache(const json::value& sources) {
    if (!sources.is_array()) return deny("build.cache_from");
    for (const auto& item : sources.get_array()) {
      constexpr std::string_view kOfRegistry = "type=registry,ref=";
      const auto source = as_text(item);
      const auto image = source.starts_with(kOfRegistry) ? source.substr(kOfRegistry.size()) : source;
      if (image.empty() || image.find_first_of("=,\"") != image.npos)
        deny(fmt::format("build.cache_from {}", printable(source, 200)));
    }
  }

  void judge_hooks(std::string_view key, const json::value& hooks) {
    if (!hooks.is_array()) return deny(key);
    for (const auto& hook : hooks.get_array()) {
      const auto* members = hook.if_object();
      const auto* privileged = members == nullptr ? nullptr : members->if_contains("privileged");
      if (members == nullptr || (privileged != nullptr && asks_for_something(*privileged)))
        return deny(fmt::format("{} with privileged", key));
    }
  }

  void judge_deploy(const json::value& value) {
    const auto* deploy = value.if_object();
    if (deploy == nullptr) return deny("deploy");
    for (const auto& member : *deploy)
      if (!is_one_of(member.key(), kKnownOfDeploy) && asks_for_something(member.value()))
        deny(fmt::format("deploy.{}", printable(member.key(), 64)));
    const auto* resources = object_of(*deploy, "resources");
    if (resources == nullptr) return;
    for (const auto& limits : *resources)
      if (const auto* members = limits.value().if_object())
        for (const auto* key : {"devices", "generic_resources"})
          if (const auto* asked = members->if_contains(key); asked != nullptr && asks_for_something(*asked))
            deny(fmt::format("deploy.resources.{}.{}", printable(limits.key(), 64), key));
  }

  // Compose gives a name to what has none of its own; another name is another stack's.
  void judge_name(const json::object& object) {
    if (const auto name = text_of(object, "name"); !name.empty() && name != fmt::format("{}_{}", project_, key_))
      deny(fmt::format("name {}", printable(name, 200)));
    if (const auto* external = object.if_contains("external"); external != nullptr && asks_for_something(*external))
      deny("external");
  }

  void judge_volume(const json::object& volume) {
    judge_name(volume);
    for (const auto& member : volume)
      if (const std::string_view key = member.key(); asks_for_something(member.value()) &&
                                                     !is_one_of(key, kHarmlessOfVolumes) &&
                                                     !(key == "driver" && as_text(member.value()) == "local"))
        deny(printable(key, 64));
  }

  void judge_network(const json::object& network) {
    judge_name(network);
    for (const auto& member : network)
      if (const std::string_view key = member.key(); asks_for_something(member.value()) && key != "name" &&
                                                     key != "external" && !is_one_of(key, kHarmlessOfNetworks) &&
                                                     !(key == "driver" && as_text(member.value()) == "bridge"))
        deny(printable(key, 64));
  }

  void judge_file(const json::object& file) {
    for (const auto& member : file) {
      const std::string_view key = member.key();
      if (!asks_for_something(member.value()) || is_one_of(key, kHarmlessOfFiles)) continue;
      if (key != "file")
        deny(printable(key, 64));
      else if (!is_inside(as_text(member.value())))
        deny(fmt::format("file {}", printable(as_text(member.value()), 200)));
    }
  }

  const std::string project_;
  const std::string root_;
  std::string at_;   // "service web"
  std::string key_;  // "web"
  std::vector<std::string> faults_;
};

}  // namespace

Status check_restricted(const json::object& model, std::string_view project, std::string_view tree_root) {
  Judge judge(project, tree_root);
  judge.judge(model);
  return judge.verdict();
}

Status check_volumes_are_own(const json::object& model, std::string_view project, const std::vector<Volume>& there) {
  const auto* definitions = object_of(model, "volumes");
  if (definitions == nullptr) return {};
  std::vector<std::string> faults;
  for (const auto& member : *definitions) {
    const std::string_view key = member.key();
    const auto* definition = member.value().if_object();
    const auto named = definition == nullptr ? std::string_view() : text_of(*definition, "name");
    const auto name = named.empty() ? fmt::format("{}_{}", project, key) : std::string(named);
    const auto volume = std::ranges::find(there, name, &Volume::name);
    if (volume == there.end()) continue;
    const auto stack_of_it = label_of(volume->labels, kProjectLabel);
    const auto key_of_it = label_of(volume->labels, kVolumeLabel);
    if (stack_of_it == project && key_of_it == key) continue;
    const auto whose = stack_of_it.empty() ? std::string("a volume that no stack has made")
                                           : fmt::format("volume {} of stack {}", printable(key_of_it, 200),
                                                         printable(stack_of_it, 200));
    faults.push_back(fmt::format("policy: volume {}: {} is {}", printable(key, 256), printable(name, 200), whose));
  }
  if (faults.empty()) return {};
  return fail(Kind::denied, join(faults, "; "));
}

}  // namespace windlass
