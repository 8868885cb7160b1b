#include "config/registries_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>

#include "base/text.h"
#include "config/mapping_list.h"
#include "config/networks.h"
#include "config/yaml.h"
#include "sys/files.h"

namespace windlass {
namespace {

constexpr std::string_view kPlaceRule = "is not registry or registry/path, such as r.example:5000/team";

bool is_path_part(std::string_view part) {
  const auto is_small = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const auto fits = [&](char c) { return is_small(c) || c == '.' || c == '_' || c == '-'; };
  return !part.empty() && is_small(part.front()) && is_small(part.back()) &&
         std::all_of(part.begin(), part.end(), fits) && part.find("..") == part.npos;
}

// "R.example/team" as "r.example/team". The first part must look like a registry, as in a reference (oci 1).
std::optional<std::string> place_of(std::string_view text) {
  const auto parts = split(text, '/');
  auto host = registry_host(parts.front());
  if (!host || (host->find_first_of(".:") == host->npos && *host != "localhost")) return std::nullopt;
  if (!std::all_of(parts.begin() + 1, parts.end(), is_path_part)) return std::nullopt;
  if (*host == "docker.io") *host = "index.docker.io";
  const auto slash = std::min(text.find('/'), text.size());
  return *host + std::string(text.substr(slash));
}

void read_place(KeyReader& read, const std::string& key, std::string& target) {
  read.text(key, target);
  if (target.empty()) return;
  if (auto place = place_of(target))
    target = std::move(*place);
  else
    read.fault(key, fmt::format("\"{}\" {}", printable(target, 100), kPlaceRule));
}

void read_mirrors(KeyReader& read, std::vector<std::string>& mirrors) {
  read.list("mirrors", mirrors);
  for (auto& mirror : mirrors) {
    if (auto place = place_of(mirror))
      mirror = std::move(*place);
    else
      read.fault("mirrors", fmt::format("\"{}\" {}", printable(mirror, 100), kPlaceRule));
  }
}

void read_file_name(KeyReader& read, const std::string& key, std::string& target) {
  read.text(key, target);
  if (target.empty()) return;
  const auto shown = printable(target, 200);
  if (!target.starts_with('/'))
    read.fault(key, fmt::format("\"{}\" is not an absolute path", shown));
  else if (::access(target.c_str(), R_OK) != 0)
    read.fault(key, fmt::format("cannot read {}: {}", shown, std::generic_category().message(errno)));
}

RegistryRule decode_rule(KeyReader& read) {
  RegistryRule rule;
  read_place(read, "prefix", rule.prefix);
  if (rule.prefix.empty()) read.fault("prefix", "must name a registry or a part of one");
  read_place(read, "location", rule.location);
  if (rule.location.empty()) rule.location = rule.prefix;
  read_mirrors(read, rule.mirrors);
  read.flag("mirror_tags", rule.mirror_tags);
  read.flag("insecure", rule.insecure);
  read_file_name(read, "ca_file", rule.ca_file);
  read_file_name(read, "client_cert", rule.client_cert_file);
  read_file_name(read, "client_key", rule.client_key_file);
  if (rule.client_cert_file.empty() != rule.client_key_file.empty())
    read.fault("client_cert", "client_cert and client_key must be given together");
  if (rule.insecure && !rule.ca_file.empty())
    read.fault("ca_file", "has no effect with insecure: true, which checks no certificate");
  if (rule.mirror_tags && rule.mirrors.empty()) read.fault("mirror_tags", "has no effect without mirrors");
  return rule;
}

}  // namespace

std::vector<RegistryRule> parse_registries(std::string_view text, std::string_view file,
                                           std::vector<std::string>& faults) {
  std::vector<RegistryRule> rules;
  read_mappings(text, file, "registries", "prefix", faults, [&](KeyReader& read) {
    auto rule = decode_rule(read);
    if (std::any_of(rules.begin(), rules.end(), [&](const auto& each) { return each.prefix == rule.prefix; }))
      read.fault("prefix", fmt::format("\"{}\" has an entry already", printable(rule.prefix, 100)));
    rules.push_back(std::move(rule));
  });
  return rules;
}

std::vector<RegistryRule> read_registries_file(SettingReader& read) {
  const std::string path(trim(read.text("OCI_REGISTRIES_FILE")));
  if (path.empty()) return {};
  const auto text = read_file(path, kYamlBytesMax);
  if (!text) {
    read.fault("OCI_REGISTRIES_FILE: " + text.error().message);
    return {};
  }
  read.note_file("OCI_REGISTRIES_FILE", *text);
  std::vector<std::string> faults;
  auto rules = parse_registries(*text, path, faults);
  for (const auto& fault : faults) read.fault("OCI_REGISTRIES_FILE: " + fault);
  return rules;
}

}  // namespace windlass
