#include "deploy/recreate_ignore.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "config/signal_name.h"
#include "config/yaml.h"
#include "deploy/model_paths.h"
#include "deploy/service_inputs.h"

namespace windlass {
namespace {

constexpr std::string_view kLabel = "cd.doco.deployment.recreate.ignore";
constexpr std::string_view kSignalLabel = "cd.doco.deployment.recreate.ignore.signal";

tl::unexpected<Error> invalid(std::string_view why) {
  return fail(Kind::invalid, fmt::format("ignore config is invalid: {}", why));
}

Result<std::vector<std::string>> names_in(const YamlEntry& scope) {
  std::vector<std::string> names;
  const auto& value = *scope.value;
  if (value.is_null()) return names;
  if (value.kind != YamlNode::Kind::sequence)
    return invalid(fmt::format("{}: expected a list", printable(scope.key, 64)));
  for (const auto* item : value.items) {
    if (item->kind != YamlNode::Kind::scalar || item->is_null() || item->text.empty())
      return invalid(fmt::format("{}: expected a list of names", printable(scope.key, 64)));
    names.push_back(item->text);
  }
  return names;
}

class InPlaceFiles {
 public:
  InPlaceFiles(const json::object& model, const std::string& live_root) : model_(model), live_root_(live_root) {}

  void add(const json::object& service, const RecreateIgnore& ignore) {
    add_named(service, "configs", [&](const std::string& name) { return ignore.has_config(name); });
    add_named(service, "secrets", [&](const std::string& name) { return ignore.has_secret(name); });
    const auto* volumes = array_of(service, "volumes");
    if (volumes == nullptr) return;
    for (const auto& item : *volumes) {
      const auto* volume = item.if_object();
      if (volume == nullptr || text_of(*volume, "type") != "bind") continue;
      if (ignore.has_bind_mount(std::string(text_of(*volume, "target")))) add_path(text_of(*volume, "source"));
    }
  }
  std::set<std::string> take() { return std::move(files_); }

 private:
  template <class Has>
  void add_named(const json::object& service, const char* section, Has has) {
    const auto* used = array_of(service, section);
    const auto* definitions = object_of(model_, section);
    if (used == nullptr || definitions == nullptr) return;
    for (const auto& item : *used) {
      const auto name = name_used(item);
      const auto* definition = object_of(*definitions, name);
      if (definition != nullptr && has(name)) add_path(text_of(*definition, "file"));
    }
  }
  void add_path(std::string_view path) {
    if (auto below = path_below(live_root_, path); below && !below->empty()) files_.insert(*std::move(below));
  }

  const json::object& model_;
  const std::string& live_root_;
  std::set<std::string> files_;
};

}  // namespace

Result<RecreateIgnore> RecreateIgnore::parse(std::string_view label, std::string_view signal) {
  RecreateIgnore ignore;
  auto yaml = parse_yaml(label, "label");
  if (!yaml) return invalid(yaml.error().message);
  if (yaml->documents.empty()) return invalid("the label is empty");
  if (yaml->documents.size() > 1 || yaml->documents.front()->kind != YamlNode::Kind::mapping)
    return invalid("expected a mapping of configs, secrets, bindMounts, volumes to lists");
  for (const auto& scope : yaml->documents.front()->entries) {
    auto names = names_in(scope);
    if (!names) return tl::unexpected(names.error());
    if (auto added = ignore.add(scope.key, *names); !added) return tl::unexpected(added.error());
  }
  if (!signal.empty() && !is_signal(signal)) return invalid(fmt::format("'{}' is not a signal", printable(signal, 64)));
  ignore.signal_ = signal;
  return ignore;
}

Status RecreateIgnore::add(std::string_view scope, const std::vector<std::string>& names) {
  Names volumes;
  auto* target = scope == "configs"      ? &configs_
                 : scope == "secrets"    ? &secrets_
                 : scope == "bindMounts" ? &bind_mounts_
                 : scope == "volumes"    ? &volumes
                                         : nullptr;
  if (target == nullptr)
    return invalid(
        fmt::format("unknown scope '{}': expected configs, secrets, bindMounts or volumes", printable(scope, 64)));
  target->all = names.empty();
  for (const auto& name : names)
    if (!target->names.insert(name).second)
      return invalid(fmt::format("{}: '{}' is there twice", scope, printable(name, 256)));
  return {};
}

bool RecreateIgnore::covers(std::string_view part) const {
  const auto content = content_part(part);
  if (!content) return false;
  switch (content->of) {
    case ContentPart::Of::config:
      return has_config(content->name);
    case ContentPart::Of::secret:
      return has_secret(content->name);
    case ContentPart::Of::bind_mount:
      return has_bind_mount(content->name);
  }
  return false;
}

Result<std::map<std::string, RecreateIgnore>> recreate_ignores(const json::object& model) {
  std::map<std::string, RecreateIgnore> ignores;
  const auto* services = object_of(model, "services");
  if (services == nullptr) return ignores;
  for (const auto& member : *services) {
    const auto* service = member.value().if_object();
    const auto* labels = service == nullptr ? nullptr : object_of(*service, "labels");
    if (labels == nullptr) continue;
    const auto in_service = [&](const Error& why) {
      return fail(why.kind, fmt::format("service {}: {}", printable(member.key(), 256), why.message));
    };
    const bool has_signal = labels->contains(kSignalLabel);
    if (!labels->contains(kLabel)) {
      if (has_signal) return in_service({Kind::invalid, fmt::format("label {} needs {}", kSignalLabel, kLabel)});
      continue;
    }
    const auto signal = text_of(*labels, kSignalLabel);
    if (has_signal && signal.empty())
      return in_service({Kind::invalid, fmt::format("label {} is empty", kSignalLabel)});
    auto ignore = RecreateIgnore::parse(text_of(*labels, kLabel), signal);
    if (!ignore) return in_service(ignore.error());
    ignores.emplace(member.key(), *std::move(ignore));
  }
  return ignores;
}

std::set<std::string> files_kept_in_place(const json::object& model,
                                          const std::map<std::string, RecreateIgnore>& ignores,
                                          const std::string& live_root) {
  InPlaceFiles files(model, live_root);
  const auto* services = object_of(model, "services");
  for (const auto& [name, ignore] : ignores)
    if (const auto* service = services == nullptr ? nullptr : object_of(*services, name)) files.add(*service, ignore);
  return files.take();
}

}  // namespace windlass
