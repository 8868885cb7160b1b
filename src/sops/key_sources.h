// Where keys of SOPS come from on this machine (Q30a to Q34).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sops/age.h"

namespace windlass::sops {

class KeySources {
 public:
  // `environment`: of this process.
  explicit KeySources(const std::map<std::string, std::string>& environment);

  // SOPS_AGE_KEY, the file that SOPS_AGE_KEY_FILE names, and sops/age/keys.txt of the user's configuration folder.
  // Files are read anew each time, so a new key needs no restart. What cannot be read goes to `faults`, by name.
  std::vector<AgeIdentity> age_identities(std::vector<std::string>& faults) const;

  // For messages: "SOPS_AGE_KEY_FILE, AWS credentials", or "none".
  std::string in_words() const;

  // What an operator must know at start: sources that are named and cannot be used.
  std::vector<std::string> warnings() const;

 private:
  std::string of(const std::string& name) const;
  std::string default_file() const;

  const std::map<std::string, std::string>& environment_;
};

}  // namespace windlass::sops
