// Where releases come from: what a trigger announced becomes one settled digest, and the digest becomes files.
//
// Nobody outside this folder asks "OCI or Git?".
#pragma once

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "config/trust_policy.h"
#include "model/job.h"
#include "oci/unpack.h"

namespace windlass {

// What a lane remembers of its past (webhook 14).
struct LaneHistory {
  std::optional<Digest> last;  // L: the digest it was last deployed from
  std::vector<Digest> seen;    // deployed, failed or superseded; oldest first, the last 64 of a tag
  // Of references by digest: what a tag of the source has brought to a stack of `last` since, "main (sha256:…)"; else
  // "".
  std::string overtaken_by;

  bool has_seen(const Digest& digest) const { return std::find(seen.begin(), seen.end(), digest) != seen.end(); }
};

// What is to be done about a job: deploy one digest, or nothing.
struct Settled {
  std::optional<Digest> deploy;  // sha256 of the manifest; nothing: skip
  std::string reason;            // of a skip
};

// What a source showed for a ref at one look.
struct Sighting {
  Digest digest;
  std::string validator;  // proves at the next look that nothing has moved; "" where there is none
};

// What came of a look.
struct Look {
  std::optional<Sighting> seen;                    // nothing: the ref is gone, or the source did not say
  std::optional<std::chrono::seconds> come_again;  // it wants to be left alone for so long
  std::string reason;                              // of that
};

struct Source {
  virtual ~Source() = default;

  // Where the ref of the request points to now, by at most one cheap request, asked once; gives `last` again when it
  // has not moved. A ref that is a sha256 digest needs no request.
  virtual Result<Look> look(const JobRequest& request, const std::optional<Sighting>& last,
                            const Deadline& deadline) = 0;

  // Settles, once per job, the digest that counts. May wait for a registry that is behind (webhook/P2, P3).
  virtual Result<Settled> settle(const Job& job, const LaneHistory& history, const Deadline& deadline) = 0;

  // Is the artifact signed as the operator demands (oci 11.3)? Asked before anything of it is fetched. Kind::denied if
  // not, Kind::unavailable when that could not be found out.
  virtual Status verify(const Job& job, const Digest& digest, const Deadline& deadline) = 0;
  // The same for one deployment that demands something of its own. Asked before anything live is touched.
  virtual Status verify_deployment(const Job& job, const Digest& digest, const TrustOverride& wanted,
                                   const Deadline& deadline) = 0;
  // Another text whenever one of the two may come to another end for the same digest; "" where nothing is demanded.
  virtual std::string trust_stamp(const JobRequest& request) = 0;

  // Fetches exactly that digest and unpacks it into the empty folder `staging`.
  virtual Result<UnpackedTree> fetch(const Job& job, const Digest& digest, const std::filesystem::path& staging,
                                     const Deadline& deadline) = 0;

  // The same for a release that is not in the source yet: a tar archive, compressed with gzip.
  virtual Result<UnpackedTree> unpack_archive(std::string_view archive, const std::filesystem::path& staging,
                                              const Deadline& deadline) = 0;

  // Path of the live directory below the data directory, before collisions are resolved (oci 9).
  virtual Result<std::string> live_path(const Job& job) const = 0;
};

}  // namespace windlass
