#include "docker/container_spec.h"

#include <fmt/format.h>

#include <filesystem>
#include <set>
#include <string_view>

#include "base/text.h"

namespace windlass {
namespace {

constexpr std::size_t kIdDigits = 12;  // of a host name that the engine chose
constexpr int kHelperRestarts = 3;

struct Described {
  const json::object& config;
  const json::object& host;
  std::string id, image_id;
};

Result<Described> described_by(const json::object& container) {
  const auto* config = object_of(container, "Config");
  const auto* host = object_of(container, "HostConfig");
  std::string id(text_of(container, "Id")), image(text_of(container, "Image"));
  if (config == nullptr || host == nullptr || id.size() < kIdDigits || image.empty())
    return fail(Kind::invalid, "the engine's description of the container lacks its configuration");
  return Described{*config, *host, std::move(id), std::move(image)};
}

// "source:destination[:options]" in its parts; "" for what it does not have.
struct Bind {
  std::string_view source, destination, options;
};
Bind parts_of(std::string_view bind) {
  const auto first = bind.find(':');
  if (first == bind.npos) return {.source = bind, .destination = {}, .options = {}};
  const auto second = bind.find(':', first + 1);
  if (second == bind.npos) return {bind.substr(0, first), bind.substr(first + 1), {}};
  return {bind.substr(0, first), bind.substr(first + 1, second - first - 1), bind.substr(second + 1)};
}

// As the engine tells it of what is mounted: "/data" of "/data/".
std::string cleaned(std::string_view destination) {
  auto path = std::filesystem::path(destination).lexically_normal().string();
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

// What is mounted at a path now, as "source:destination[:ro]"; "" for what is neither a volume nor of the host.
std::string bind_of(const json::object& mount) {
  const auto type = text_of(mount, "Type");
  if (type != "bind" && type != "volume") return "";
  const auto* writable = mount.if_contains("RW");
  const bool is_read_only = writable != nullptr && writable->is_bool() && !writable->get_bool();
  return fmt::format("{}:{}{}", text_of(mount, type == "bind" ? "Source" : "Name"), text_of(mount, "Destination"),
                     is_read_only ? ":ro" : "");
}

// The mounts as they were asked for, with all their options: part of a volume, propagation, … What nobody asked for by
// name, volumes without one and those of other containers, is named: it is to be the same again.
void put_mounts(const json::object& container, json::object& host) {
  auto binds = array_of(host, "Binds") == nullptr ? json::array() : *array_of(host, "Binds");
  json::array mounts;
  std::set<std::string> named;  // destinations
  for (const auto& bind : binds)
    if (bind.is_string()) named.insert(cleaned(parts_of(bind.get_string()).destination));
  if (const auto* given = array_of(host, "Mounts"))
    for (const auto& mount : *given) {
      const auto* fields = mount.if_object();
      if (fields == nullptr || (text_of(*fields, "Type") == "volume" && text_of(*fields, "Source").empty())) continue;
      named.insert(cleaned(text_of(*fields, "Target")));
      mounts.push_back(mount);
    }
  if (const auto* there = array_of(container, "Mounts"))
    for (const auto& mount : *there) {
      const auto* fields = mount.if_object();
      if (fields == nullptr || named.contains(cleaned(text_of(*fields, "Destination")))) continue;
      if (auto bind = bind_of(*fields); !bind.empty()) binds.emplace_back(std::move(bind));
    }
  host["Binds"] = std::move(binds);
  host.erase("Mounts");
  if (!mounts.empty()) host["Mounts"] = std::move(mounts);
}

// Z has SELinux take files away from whoever had them: from the container that runs.
void share_with_helper(json::object& host) {
  for (auto& bind : host.at("Binds").as_array()) {
    if (!bind.is_string()) continue;
    const std::string text(bind.get_string());
    const auto [source, destination, options] = parts_of(text);
    auto kept = split(options, ',');
    std::erase_if(kept, [](auto option) { return option.empty() || option == "Z"; });
    bind = fmt::format("{}:{}{}{}", source, destination, kept.empty() ? "" : ":", fmt::join(kept, ","));
  }
}

json::object endpoint_of(const json::object& network, std::string_view short_id) {
  json::object endpoint;
  for (const auto* key : {"IPAMConfig", "Links", "DriverOpts"})
    if (const auto* value = network.if_contains(key); value != nullptr && !value->is_null()) endpoint[key] = *value;
  json::array aliases;
  if (const auto* given = array_of(network, "Aliases"))
    for (const auto& alias : *given)
      if (alias.is_string() && alias.get_string() != short_id) aliases.push_back(alias);
  if (!aliases.empty()) endpoint["Aliases"] = std::move(aliases);
  return endpoint;
}

}  // namespace

Result<ContainerSpec> same_container(const json::object& container) {
  const auto described = described_by(container);
  if (!described) return tl::unexpected(described.error());
  const auto short_id = described->id.substr(0, kIdDigits);
  ContainerSpec spec{.name = std::string(text_of(container, "Name")), .body = described->config, .networks = {}};
  if (spec.name.starts_with('/')) spec.name.erase(0, 1);
  auto& body = spec.body;
  body["Image"] = described->image_id;  // by now its name may be another image's
  if (text_of(body, "Hostname") == short_id) body.erase("Hostname");
  json::object host = described->host;
  put_mounts(container, host);
  const std::string mode(text_of(host, "NetworkMode"));
  body["HostConfig"] = std::move(host);
  const auto* settings = object_of(container, "NetworkSettings");
  const auto* networks = settings == nullptr ? nullptr : object_of(*settings, "Networks");
  if (networks == nullptr) return spec;
  for (const auto& member : *networks) {
    const auto* network = member.value().if_object();
    if (network == nullptr) continue;
    const std::string name(member.key());
    auto endpoint = endpoint_of(*network, short_id);
    if (name == mode)
      body["NetworkingConfig"] = json::object{{"EndpointsConfig", json::object{{name, std::move(endpoint)}}}};
    else if (mode != "host" && mode != "none" && mode != "default" && !mode.starts_with("container:"))
      spec.networks[name] = std::move(endpoint);
  }
  return spec;
}

Result<json::object> helper_of(const json::object& container, const Helper& helper) {
  const auto described = described_by(container);
  if (!described) return tl::unexpected(described.error());
  json::array environment;
  if (const auto* given = array_of(described->config, "Env")) environment = *given;
  for (const auto& [name, value] : helper.environment) environment.emplace_back(fmt::format("{}={}", name, value));
  json::object labels;
  for (const auto& [name, value] : helper.labels) labels[name] = value;
  json::object host = described->host;
  for (const auto* key : {"PortBindings", "Links", "ContainerIDFile", "VolumesFrom", "PublishAllPorts"})
    host.erase(key);
  put_mounts(container, host);
  share_with_helper(host);
  host["AutoRemove"] = false;
  host["RestartPolicy"] = json::object{{"Name", "on-failure"}, {"MaximumRetryCount", kHelperRestarts}};
  if (!helper.needs_network) host["NetworkMode"] = "none";
  return json::object{{"Image", described->image_id},
                      {"User", text_of(described->config, "User")},
                      {"WorkingDir", text_of(described->config, "WorkingDir")},
                      {"Entrypoint", json::array{helper.command.front()}},
                      {"Cmd", json::array(helper.command.begin() + 1, helper.command.end())},
                      {"Env", std::move(environment)},
                      {"Labels", std::move(labels)},
                      {"Healthcheck", json::object{{"Test", json::array{"NONE"}}}},
                      {"HostConfig", std::move(host)}};
}

}  // namespace windlass
