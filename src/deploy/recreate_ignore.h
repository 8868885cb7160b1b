// Service labels that keep a container as it is when only the content of files it uses has changed, and that may have
// it told by a signal instead (deploy/N15, N16).
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "oci/unpack.h"
#include "sys/json.h"

namespace windlass {

class RecreateIgnore {
 public:
  // `label`: a YAML mapping of `configs`, `secrets` (names), `bindMounts` (paths in the container) and `volumes` (no
  // effect) to lists; an empty list or null stands for all of them. `signal`: "HUP", "SIGHUP" or "1"; "" for none.
  // Kind::invalid "ignore config is invalid: <why>".
  static Result<RecreateIgnore> parse(std::string_view label, std::string_view signal);

  // Is this part of a service's inputs (service_inputs.h) the content of something that may change?
  bool covers(std::string_view part) const;
  const std::string& signal() const { return signal_; }

  bool has_config(const std::string& name) const { return configs_.has(name); }
  bool has_secret(const std::string& name) const { return secrets_.has(name); }
  bool has_bind_mount(const std::string& target) const { return bind_mounts_.has(target); }

 private:
  struct Names {
    bool all = false;
    std::set<std::string> names;
    bool has(const std::string& name) const { return all || names.contains(name); }
  };
  Status add(std::string_view scope, const std::vector<std::string>& names);

  Names configs_, secrets_, bind_mounts_;
  std::string signal_;
};

// Of the services of a resolved model that have the label. Kind::invalid, naming the service.
Result<std::map<std::string, RecreateIgnore>> recreate_ignores(const json::object& model);

// Files below `live_root`, relative to it, that such a service uses one by one: a container sees their new content only
// if they stay the same files on disk.
std::set<std::string> files_kept_in_place(const json::object& model,
                                          const std::map<std::string, RecreateIgnore>& ignores,
                                          const std::string& live_root);

}  // namespace windlass
