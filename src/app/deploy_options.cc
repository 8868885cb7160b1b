#include "app/deploy_options.h"

#include <fmt/format.h>

#include "oci/reference.h"
#include "sys/crypto.h"

namespace windlass {

UnpackLimits unpack_limits(const Settings& settings, Slots& large_places) {
  UnpackLimits limits;
  limits.bytes_max = settings.oci_max_extracted_bytes;
  limits.entries_max = settings.oci_max_extracted_entries;
  limits.file_bytes_max = settings.oci_max_file_bytes;
  limits.large_places = &large_places;
  return limits;
}

std::optional<std::vector<AllowedAdoption>> adoptable(const Settings& settings) {
  if (!settings.restricted && settings.adopt_allow.empty()) return std::nullopt;
  auto allowed = settings.adopt_allow;
  for (auto& [stack, source] : allowed)
    if (const auto reference = Reference::parse(source)) source = reference->source_id();
  return allowed;
}

std::string policy_text(const Settings& settings) {
  std::string text = settings.restricted ? "\nrestricted" : "";
  for (const auto& [stack, source] : settings.adopt_allow) text += fmt::format("\nadopt {}={}", stack, source);
  return text;
}

std::string environment_hash(const Environment& environment) {
  std::string text;
  for (const auto& [name, value] : environment) text += fmt::format("{}={}\n", name, value);
  return text.empty() ? "" : sha256_hex(text);
}

std::map<std::string, std::string> secret_files(const Settings& settings) {
  auto files = settings.file_hashes;
  std::erase_if(files, [](const auto& file) { return !file.first.starts_with("SECRET_PROVIDER_"); });
  return files;
}

}  // namespace windlass
