// Where releases come from: what a trigger announced becomes one settled digest, and the digest becomes files.
//
// Nobody outside this folder asks "OCI or Git?".
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "model/job.h"
#include "oci/unpack.h"

namespace windlass {

// What a lane remembers of its past (webhook 14).
struct LaneHistory {
  std::optional<Digest> last;  // L: the digest it was last deployed from
  std::vector<Digest> seen;    // deployed, failed or superseded; oldest first, at most 64

  bool has_seen(const Digest& digest) const;
};

// What is to be done about a job: deploy one digest, or nothing.
struct Settled {
  std::optional<Digest> deploy;  // sha256 of the manifest; nothing: skip
  std::string reason;            // of a skip
};

struct Source {
  virtual ~Source() = default;

  // Settles, once per job, the digest that counts. May wait for a registry that is behind (webhook/P2, P3).
  virtual Result<Settled> settle(const Job& job, const LaneHistory& history, const Deadline& deadline) = 0;

  // Fetches exactly that digest and unpacks it into the empty folder `staging`.
  virtual Result<UnpackedTree> fetch(const Job& job, const Digest& digest, const std::filesystem::path& staging,
                                     const Deadline& deadline) = 0;

  // Path of the live directory below the data directory, before collisions are resolved (oci 9).
  virtual Result<std::string> live_path(const Job& job) const = 0;
};

}  // namespace windlass
