#include "deploy/service_inputs.h"

#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "base/text.h"
#include "deploy/labels.h"
#include "deploy/model_paths.h"

namespace windlass {
namespace {

constexpr std::string_view kMountedAt = " mounted at ";
constexpr const char* kBuildContext = "build context";

// How many, in which order, when and how to get the image: containers are not made from it (compose leaves the same
// out of its own hash).
bool says_nothing_of_containers(std::string_view member) {
  return member == "scale" || member == "depends_on" || member == "profiles" || member == "pull_policy";
}

// Everything that a release has at `path` or below: names, kinds, modes and content. "" where it has nothing, which is
// data that containers wrote or that the machine has.
std::string content_below(const UnpackedTree& tree, const std::string& path, const PlainEntries& plain) {
  std::string text;
  const auto add = [&](const TreeEntry& entry) {
    const auto decrypted = plain.find(entry.path);
    text += fmt::format("{} {} {:o} {}\n", entry.path, static_cast<int>(entry.type), entry.mode,
                        decrypted == plain.end() ? entry.content : decrypted->second.content);
  };
  if (const auto* entry = tree.find(path)) add(*entry);
  for (const auto& entry : tree.below(path)) add(entry);
  return text;
}

class Collector {
 public:
  Collector(const json::object& model, const std::map<std::string, std::string>& environment, const UnpackedTree& tree,
            const std::string& live_root, InputHasher& hasher, const PlainEntries& plain)
      : model_(model), environment_(environment), tree_(tree), live_root_(live_root), hasher_(hasher), plain_(plain) {}

  ServiceInputs collect(const json::object& service) {
    inputs_.clear();
    for (const auto& member : service) {
      const std::string_view key = member.key();
      if (says_nothing_of_containers(key)) continue;
      if (key == "labels")
        add("labels", canonical_json(without_own_labels(member.value())));
      else if (key == "deploy")
        add_deploy(member.value());
      else
        add(std::string(key), canonical_json(member.value()));
    }
    add_mounts(service);
    add_contents(service, "configs", "config");
    add_contents(service, "secrets", "secret");
    if (const auto* build = object_of(service, "build")) add_build(*build);
    add_networks(service);
    return inputs_;
  }

 private:
  void add(const std::string& part, std::string_view value) { inputs_[part] = hasher_.hash(value); }

  // The content at a path, if the release has something there.
  void add_content(const std::string& part, std::string_view path) {
    const auto below = path_below(live_root_, path);
    if (!below) return;
    const auto [hash, is_new] = contents_.try_emplace(*below);
    if (is_new)
      if (const auto content = content_below(tree_, *below, plain_); !content.empty())
        hash->second = hasher_.hash(content);
    if (!hash->second.empty()) inputs_[part] = hash->second;
  }

  static json::value without_own_labels(const json::value& labels) {
    json::object result;
    if (const auto* object = labels.if_object())
      for (const auto& label : *object)
        if (!is_left_out_of_hash(label.key())) result.insert(label);
    return result;
  }

  void add_deploy(const json::value& deploy) {
    auto rest = deploy;
    if (auto* members = rest.if_object()) members->erase("replicas");
    if (!rest.is_object() || !rest.get_object().empty()) add("deploy", canonical_json(rest));
  }

  void add_mounts(const json::object& service) {
    const auto* volumes = array_of(service, "volumes");
    if (volumes == nullptr) return;
    for (const auto& item : *volumes) {
      const auto* volume = item.if_object();
      if (volume == nullptr) continue;
      const auto source = text_of(*volume, "source");
      const auto target = text_of(*volume, "target");
      if (text_of(*volume, "type") == "volume") {
        add_definition("volumes", "volume", std::string(source));
      } else if (text_of(*volume, "type") == "bind") {
        const auto below = path_below(live_root_, source);
        if (below)
          add_content(fmt::format("content of {}{}{}", below->empty() ? "." : *below, kMountedAt, target), source);
      }
    }
  }

  void add_definition(const char* section, const std::string& word, const std::string& name) {
    const auto* definitions = object_of(model_, section);
    if (definitions == nullptr || name.empty()) return;
    const auto* definition = definitions->if_contains(name);
    if (definition != nullptr) add(fmt::format("{} {}", word, name), canonical_json(*definition));
  }

  // configs and secrets: the definition, and what the file or the variable holds. The model names the variable only;
  // its value is read when containers are made.
  void add_contents(const json::object& user, const char* section, const std::string& word) {
    const auto* used = array_of(user, section);
    const auto* definitions = object_of(model_, section);
    if (used == nullptr || definitions == nullptr) return;
    for (const auto& item : *used) {
      const auto name = name_used(item);
      add_definition(section, word, name);
      const auto* definition = object_of(*definitions, name);
      if (definition == nullptr) continue;
      const auto part = fmt::format("content of {} {}", word, name);
      add_content(part, text_of(*definition, "file"));
      const auto value = environment_.find(std::string(text_of(*definition, "environment")));
      if (value != environment_.end()) add(part, value->second);
    }
  }

  // N14: all that the image is built from.
  void add_build(const json::object& build) {
    const auto context = text_of(build, "context");
    add_content(kBuildContext, context);
    if (const auto* more = object_of(build, "additional_contexts"))
      for (const auto& entry : *more)
        if (entry.value().is_string())
          add_content(fmt::format("{} {}", kBuildContext, std::string_view(entry.key())), entry.value().get_string());
    if (const auto dockerfile = text_of(build, "dockerfile"); !dockerfile.empty()) {
      const auto path =
          (std::filesystem::path(std::string_view(context)) / std::string_view(dockerfile)).lexically_normal();
      if (!path_below(std::string_view(context), path.string())) add_content("Dockerfile", path.string());
    }
    add_contents(build, "secrets", "build secret");
  }

  void add_networks(const json::object& service) {
    if (const auto* networks = object_of(service, "networks"))
      for (const auto& network : *networks) add_definition("networks", "network", std::string(network.key()));
  }

  const json::object& model_;
  const std::map<std::string, std::string>& environment_;
  const UnpackedTree& tree_;
  const std::string& live_root_;
  InputHasher& hasher_;
  const PlainEntries& plain_;
  std::map<std::string, std::string> contents_;  // path -> its hash, "" of nothing: many may mount the same
  ServiceInputs inputs_;
};

}  // namespace

std::string name_used(const json::value& item) {
  if (const auto* object = item.if_object()) return std::string(text_of(*object, "source"));
  return item.is_string() ? std::string(item.get_string()) : std::string();
}

std::string InputHasher::hash(std::string_view value) {
  const auto bytes = mac_.sign(value);
  return to_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::map<std::string, ServiceInputs> service_inputs(const json::object& model,
                                                    const std::map<std::string, std::string>& environment,
                                                    const UnpackedTree& tree, const std::string& live_root,
                                                    InputHasher& hasher, const PlainEntries& plain) {
  std::map<std::string, ServiceInputs> all;
  const auto* services = object_of(model, "services");
  if (services == nullptr) return all;
  Collector collector(model, environment, tree, live_root, hasher, plain);
  for (const auto& service : *services)
    if (const auto* definition = service.value().if_object())
      all[std::string(service.key())] = collector.collect(*definition);
  return all;
}

std::optional<ContentPart> content_part(std::string_view part) {
  if (!part.starts_with("content of ")) return std::nullopt;
  if (const auto at = part.find(kMountedAt); at != part.npos)
    return ContentPart{ContentPart::Of::bind_mount, std::string(part.substr(at + kMountedAt.size()))};
  for (const auto& [of, prefix] : {std::pair(ContentPart::Of::config, std::string_view("content of config ")),
                                   std::pair(ContentPart::Of::secret, std::string_view("content of secret "))})
    if (part.starts_with(prefix)) return ContentPart{of, std::string(part.substr(prefix.size()))};
  return std::nullopt;
}

std::vector<std::string> differences(const ServiceInputs& before, const ServiceInputs& after,
                                     const std::function<bool(std::string_view part)>& counts) {
  std::vector<std::string> result;
  for (const auto& [part, hash] : after) {
    if (!counts(part)) continue;
    const auto found = before.find(part);
    if (found == before.end())
      result.push_back(part + " added");
    else if (found->second != hash)
      result.push_back(part + " changed");
  }
  for (const auto& [part, hash] : before)
    if (counts(part) && !after.contains(part)) result.push_back(part + " removed");
  return result;
}

}  // namespace windlass
