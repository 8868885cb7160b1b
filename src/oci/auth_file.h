// The credentials part of a Docker config file, or of Podman's auth.json (oci 5).
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "oci/credentials.h"
#include "oci/reference.h"

namespace windlass {

// The server's name as Docker writes it into its config file and gives it to helpers.
std::string server_of(const Reference& reference);

class AuthFile {
 public:
  struct Helper {
    std::string name;
    std::string server;    // which it is to be asked for: as of server_of, or "docker.io" where the file says so
    bool is_last = false;  // where it has nothing either, nobody else is asked
  };
  static Result<AuthFile> parse(std::string_view text);

  // From "auths", anonymous if nothing fits. A broken entry is an error only when it is the one that fits.
  Result<Credential> find(const Reference& reference) const;
  // What "credHelpers" and "credsStore" have for the registry, in the order in which they are asked.
  std::vector<Helper> helpers_for(const Reference& reference) const;
  // All helpers that are named.
  std::set<std::string> helper_names() const;

 private:
  struct Entry {
    Credential credential;
    std::string fault;  // why the entry cannot be used
  };
  static Entry parse_entry(const std::string& key, std::string_view user, std::string_view password,
                           std::string_view auth, std::string_view identity_token, std::string_view registry_token);

  std::map<std::string, Entry> auths_;
  std::map<std::string, std::string> helpers_;
  std::string store_;
};

}  // namespace windlass
