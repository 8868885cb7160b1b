// What each service of a model is made from, as keyed hashes: the ground on which a change is seen and named.
//
// Inputs: each member of the service's resolved definition that its containers are made from, the content of files it
// mounts from the live directory, of its configs and secrets, all that its image is built from, and the networks and
// volumes it uses (deploy/N5 to N14). Values may be secret, so only HMACs with a key of this installation are kept
// (N9).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "model/release.h"
#include "oci/unpack.h"
#include "sys/crypto.h"
#include "sys/json.h"

namespace windlass {

class InputHasher {
 public:
  explicit InputHasher(const Secret& key) : mac_(key) {}
  // HMAC-SHA256 as 64 lower-case hexadecimal digits.
  std::string hash(std::string_view value);

 private:
  HmacSha256 mac_;
};

// Files of a release that its live directory has in plain text, by path.
using PlainEntries = std::map<std::string, TreeEntry>;

// `model`: resolved, with paths moved to `live_root`; `environment`: it was resolved with, where secrets and configs
// with `environment:` are read from; `tree`: the release that lies, or will lie, there; `plain`: in place of its
// entries.
std::map<std::string, ServiceInputs> service_inputs(const json::object& model,
                                                    const std::map<std::string, std::string>& environment,
                                                    const UnpackedTree& tree, const std::string& live_root,
                                                    InputHasher& hasher, const PlainEntries& plain = {});

// The name in an entry of a list of configs or secrets: {"source": "name"}, or plain text; "" of anything else.
std::string name_used(const json::value& item);

// What a part is the content of, if it is the content of something.
struct ContentPart {
  enum class Of { config, secret, bind_mount };
  Of of;
  std::string name;  // of a bind mount: its path in the container
};
std::optional<ContentPart> content_part(std::string_view part);

// The differences in words: "image changed", "environment added", "config app.conf changed". `counts`: of the parts
// that are compared.
std::vector<std::string> differences(
    const ServiceInputs& before, const ServiceInputs& after,
    const std::function<bool(std::string_view part)>& counts = [](std::string_view) { return true; });

}  // namespace windlass
