#include "sops/key_sources.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "sys/files.h"

namespace windlass::sops {
namespace {

constexpr std::uint64_t kKeyFileBytesMax = 1 << 20;

void add(const std::string& source, std::string_view text, std::vector<AgeIdentity>& identities,
         std::vector<std::string>& faults) {
  auto keys = read_age_keys(text);
  std::move(keys.identities.begin(), keys.identities.end(), std::back_inserter(identities));
  for (const auto& unread : keys.unread) faults.push_back(fmt::format("{} holds {}", source, unread));
}

}  // namespace

KeySources::KeySources(const std::map<std::string, std::string>& environment) : environment_(environment) {}

std::string KeySources::of(const std::string& name) const {
  const auto found = environment_.find(name);
  return found == environment_.end() ? "" : found->second;
}

// As sops finds it; "" when there is no home.
std::string KeySources::default_file() const {
  const auto config = of("XDG_CONFIG_HOME"), home = of("HOME");
  if (!config.empty()) return config + "/sops/age/keys.txt";
  return home.empty() ? "" : home + "/.config/sops/age/keys.txt";
}

std::vector<AgeIdentity> KeySources::age_identities(std::vector<std::string>& faults) const {
  std::vector<AgeIdentity> identities;
  if (const auto text = of("SOPS_AGE_KEY"); !text.empty()) add("SOPS_AGE_KEY", text, identities, faults);
  const auto named = of("SOPS_AGE_KEY_FILE"), standard = default_file();
  for (const auto& [source, path] :
       {std::pair<std::string, std::string>("SOPS_AGE_KEY_FILE", named), {standard, standard}}) {
    if (path.empty()) continue;
    const auto text = read_file(path, kKeyFileBytesMax);
    if (text)
      add(source, *text, identities, faults);
    else if (path == named || text.error().kind != Kind::not_found)
      faults.push_back(fmt::format("{}: {}", source, text.error().message));
  }
  return identities;
}

std::string KeySources::in_words() const {
  std::vector<std::string> words;
  constexpr const char* kNamed[] = {"SOPS_AGE_KEY",
                                    "SOPS_AGE_KEY_FILE",
                                    "SOPS_AGE_KEY_CMD",
                                    "SOPS_AGE_SSH_PRIVATE_KEY_FILE",
                                    "SOPS_AGE_SSH_PRIVATE_KEY_CMD",
                                    "GNUPGHOME",
                                    "GOOGLE_CREDENTIALS",
                                    "GOOGLE_APPLICATION_CREDENTIALS",
                                    "AWS_ACCESS_KEY_ID",
                                    "AWS_PROFILE",
                                    "AZURE_CLIENT_ID",
                                    "VAULT_ADDR"};
  for (const auto* name : kNamed)
    if (!of(name).empty()) words.emplace_back(name);
  if (const auto file = default_file(); !file.empty() && ::access(file.c_str(), R_OK) == 0) words.push_back(file);
  return words.empty() ? "none" : join(words, ", ");
}

std::vector<std::string> KeySources::warnings() const {
  std::vector<std::string> faults;
  (void)age_identities(faults);
  for (const auto* name : {"SOPS_AGE_KEY_FILE", "SOPS_AGE_SSH_PRIVATE_KEY_FILE"}) {
    const auto path = of(name);
    struct stat status {};
    if (!path.empty() && ::stat(path.c_str(), &status) == 0 && (status.st_mode & S_IROTH) != 0)
      faults.push_back(
          fmt::format("{}: {} can be read by every user of this machine: take the right away with chmod o-r", name,
                      printable(path, 200)));
  }
  constexpr const char* kSshKey = "SOPS_AGE_SSH_PRIVATE_KEY_FILE";
  if (const auto path = of(kSshKey); !path.empty() && ::access(path.c_str(), R_OK) != 0)
    faults.push_back(fmt::format("{}: {} cannot be read", kSshKey, printable(path, 200)));
  for (auto& fault : faults) fault = "SOPS: " + fault;
  return faults;
}

}  // namespace windlass::sops
