#include "deploy/volumes.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/clock.h"
#include "base/text.h"
#include "deploy/labels.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;
using Texts = std::map<std::string, std::string>;

constexpr int kRemovalsMax = 3;  // the engine may need a moment to let go of a mount
constexpr auto kRemovalPause = 1s;

std::string driver_or_local(std::string_view driver) { return std::string(driver.empty() ? "local" : driver); }

Texts texts_of(const json::object& definition, std::string_view key) {
  Texts texts;
  if (const auto* members = object_of(definition, key))
    for (const auto& member : *members)
      texts[member.key()] =
          member.value().is_string() ? std::string(member.value().get_string()) : json::serialize(member.value());
  return texts;
}

Texts labels_of_people(Labels labels) {
  std::erase_if(labels,
                [](const auto& label) { return label.first.starts_with(kComposePrefix) || is_own_label(label.first); });
  return labels;
}

void tell_differences(const char* what, const Texts& wanted, const Texts& there, std::vector<std::string>& words) {
  auto names = wanted;
  names.insert(there.begin(), there.end());
  for (const auto& [name, ignored] : names) {
    const auto left = wanted.find(name), right = there.find(name);
    if (left == wanted.end() || right == there.end() || left->second != right->second)
      words.push_back(fmt::format("{} {}", what, printable(name, 64)));
  }
}

// What such a volume shows lies elsewhere: on a server, or in memory for as long as somebody has it mounted.
bool holds_data(const Volume& volume) {
  constexpr std::string_view kinds[] = {"nfs", "nfs4", "cifs", "tmpfs"};
  const auto type = volume.options.find("type");
  return driver_or_local(volume.driver) != "local" || type == volume.options.end() ||
         std::ranges::find(kinds, type->second) == std::end(kinds);
}

Status remove_volume(Engine& engine, const std::string& name, const Deadline& deadline) {
  for (int tries = 1;; ++tries) {
    auto removed = engine.remove_volume(name, deadline);
    if (removed || removed.error().kind == Kind::not_found) return {};
    if (removed.error().kind != Kind::conflict || tries == kRemovalsMax || !pause(kRemovalPause, deadline))
      return while_doing(fmt::format("making volume {} anew", name), removed.error());
  }
}

Status renew(Engine& engine, const ChangedVolume& volume, const std::vector<ContainerSummary>& users,
             const Deadline& deadline) {
  for (const auto& user : users) {
    auto gone = engine.stop(user.id, deadline);
    if (gone) gone = engine.remove(user.id, deadline);
    if (!gone && gone.error().kind != Kind::not_found)
      return while_doing(fmt::format("making volume {} anew", volume.name), gone.error());
  }
  return remove_volume(engine, volume.name, deadline);
}

}  // namespace

std::vector<ChangedVolume> changed_volumes(const json::object& model, const std::vector<Volume>& there) {
  std::vector<ChangedVolume> changed;
  const auto* definitions = object_of(model, "volumes");
  if (definitions == nullptr) return changed;
  for (const auto& member : *definitions) {
    const auto* definition = member.value().if_object();
    if (definition == nullptr || definition->contains("external")) continue;
    const auto volume = std::ranges::find(there, text_of(*definition, "name"), &Volume::name);
    if (volume == there.end()) continue;
    std::vector<std::string> words;
    if (driver_or_local(text_of(*definition, "driver")) != driver_or_local(volume->driver)) words.push_back("driver");
    tell_differences("driver_opts", texts_of(*definition, "driver_opts"), volume->options, words);
    tell_differences("label", texts_of(*definition, "labels"), labels_of_people(volume->labels), words);
    if (!words.empty()) changed.push_back({volume->name, join(words, ", "), holds_data(*volume)});
  }
  return changed;
}

Status renew_volumes(Engine& engine, const json::object& model, const std::string& stack, const Log& log,
                     const Deadline& deadline) {
  const auto* definitions = object_of(model, "volumes");
  if (definitions == nullptr || definitions->empty()) return {};
  const auto there = engine.volumes({project_filter(stack)}, deadline);
  if (!there) return tl::unexpected(there.error());
  for (const auto& volume : changed_volumes(model, *there)) {
    const auto users = engine.containers_with_volume(volume.name, deadline);
    if (!users) return tl::unexpected(users.error());
    const bool is_shared =
        std::ranges::any_of(*users, [&](const ContainerSummary& user) { return user.label(kProjectLabel) != stack; });
    if (volume.holds_data || is_shared) {
      log.warning(
          "volume is another one than its definition says and stays as it is",
          {{"volume", volume.name},
           {"differs_in", volume.difference},
           {"reason", is_shared ? "another stack uses it" : "it holds data"},
           {"to_change_it", fmt::format("save what it holds, remove its containers, docker volume rm {}, deploy "
                                        "again",
                                        volume.name)}});
      continue;
    }
    log.info("volume is made anew", {{"volume", volume.name}, {"differs_in", volume.difference}});
    if (auto renewed = renew(engine, volume, *users, deadline); !renewed) return renewed;
  }
  return {};
}

}  // namespace windlass
