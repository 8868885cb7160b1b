#include "docker/container_spec.h"

#include <fmt/format.h>

#include <set>
#include <string_view>

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

// Where volumes and folders of the host are mounted already.
std::set<std::string> destinations_in(const json::object& host) {
  std::set<std::string> found;
  if (const auto* mounts = array_of(host, "Mounts"))
    for (const auto& mount : *mounts)
      if (const auto* fields = mount.if_object()) found.insert(std::string(text_of(*fields, "Target")));
  if (const auto* binds = array_of(host, "Binds"))
    for (const auto& bind : *binds) {
      if (!bind.is_string()) continue;
      const std::string text(bind.get_string());
      const auto first = text.find(':');
      if (first == text.npos) continue;
      const auto second = text.find(':', first + 1);
      found.insert(text.substr(first + 1, second == text.npos ? text.npos : second - first - 1));
    }
  return found;
}

// Every mount as "source:destination[:ro]", those of `but` left out.
json::array binds_of(const json::object& container, const std::set<std::string>& but) {
  json::array binds;
  const auto* mounts = array_of(container, "Mounts");
  if (mounts == nullptr) return binds;
  for (const auto& mount : *mounts) {
    const auto* fields = mount.if_object();
    if (fields == nullptr) continue;
    const auto type = text_of(*fields, "Type");
    if (type != "bind" && type != "volume") continue;
    const std::string destination(text_of(*fields, "Destination"));
    if (but.contains(destination)) continue;
    const auto* writable = fields->if_contains("RW");
    const bool is_read_only = writable != nullptr && writable->is_bool() && !writable->get_bool();
    binds.emplace_back(fmt::format("{}:{}{}", text_of(*fields, type == "bind" ? "Source" : "Name"), destination,
                                   is_read_only ? ":ro" : ""));
  }
  return binds;
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
  auto binds = array_of(host, "Binds") == nullptr ? json::array() : *array_of(host, "Binds");
  for (auto& anonymous : binds_of(container, destinations_in(host))) binds.push_back(std::move(anonymous));
  host["Binds"] = std::move(binds);
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
  for (const auto* key : {"PortBindings", "Links", "ContainerIDFile", "Mounts", "VolumesFrom", "PublishAllPorts"})
    host.erase(key);
  host["Binds"] = binds_of(container, {});
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
