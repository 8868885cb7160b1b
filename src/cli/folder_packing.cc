#include "cli/folder_packing.h"

#include <fmt/format.h>

#include "base/text.h"
#include "config/setting_reader.h"

namespace windlass {
namespace {

// The budgets of the service that will unpack it, where its environment is this one too.
Result<UnpackLimits> limits_of(const Environment& environment) {
  SettingReader read(environment);
  UnpackLimits limits;
  constexpr SettingReader::Range range{1, 1ull << 50};
  read.number("OCI_MAX_EXTRACTED_BYTES", range, limits.bytes_max);
  read.number("OCI_MAX_EXTRACTED_ENTRIES", range, limits.entries_max);
  read.number("OCI_MAX_FILE_BYTES", range, limits.file_bytes_max);
  if (!read.faults().empty()) return fail(Kind::invalid, join(read.faults(), "; "));
  return limits;
}

std::string temporary_folder(const Environment& environment) {
  const auto found = environment.find("TMPDIR");
  return found == environment.end() || found->second.empty() ? "/tmp" : found->second;
}

std::string base_dir(const Environment& environment) {
  const auto base = SettingReader(environment).text("DEPLOY_CONFIG_BASE_DIR");
  return base.empty() ? DeployConfigOptions().base_dir : base;
}

}  // namespace

Result<CheckedFolder> check_to_pack(const FolderOrder& order, const Environment& environment, Progress& progress) {
  const auto limits = limits_of(environment);
  if (!limits) return tl::unexpected(limits.error());
  std::vector<std::string> faults;
  auto list = list_folder(order.folder, *limits);
  if (!list) faults.push_back(list.error().message);
  auto configs = check_folder(order.folder, {.base_dir = base_dir(environment), .strict = order.is_strict});
  faults.insert(faults.end(), configs.faults.begin(), configs.faults.end());
  if (faults.empty() && configs.configs.empty() && order.needs_config)
    faults.push_back("no .doco-cd.yaml, .doco-cd.yml or .doco-cd.<target>.yaml in the folder");
  for (const auto& warning : configs.warnings) progress.say("warning: " + warning);
  if (!faults.empty()) return fail(Kind::invalid, join(faults, "\n"));
  for (const auto& note : list->notes) progress.say(note);
  return CheckedFolder{*std::move(list), std::move(configs)};
}

Result<PackedLayer> pack_folder(const FolderOrder& order, const Environment& environment, Progress& progress) {
  const auto checked = check_to_pack(order, environment, progress);
  if (!checked) return tl::unexpected(checked.error());
  const auto limits = limits_of(environment);
  if (!limits) return tl::unexpected(limits.error());
  const auto all = checked->list.bytes;
  auto layer = pack_layer(order.folder, checked->list,
                          {.compression = order.compression,
                           .limits = *limits,
                           .temporary_folder = temporary_folder(environment),
                           .on_progress = [&](auto done) { progress.update("packing", done, all); }});
  if (layer)
    progress.say(fmt::format("packed {} entries, {} in {}", checked->list.entries.size(), shown_bytes(all),
                             shown_bytes(layer->size_bytes)));
  return layer;
}

}  // namespace windlass
