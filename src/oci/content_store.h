// The content store: blobs by digest, whole and hashed, shared by all runs (oci 3.3, 9).
//
// No fsync: power loss may leave a blob with its name and torn bytes, so each blob is hashed again when this process
// uses it first. That costs one pass over the file after a start instead of a disk flush per blob, and finds rot too.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "model/digest.h"

namespace windlass {

class ContentStore {
 public:
  struct Options {
    std::filesystem::path folder;          // "<data>/.windlass/oci/blobs"
    std::uint64_t bytes_max = 2ull << 30;  // least recently used blobs go first
    int resumes_max = 5;                   // of one download that was cut
    // What was used that lately may belong to a job that still reads it: the longest pull, and some (oci 3.4). The
    // store is over its size for so long rather than that a job finds its layers gone.
    std::chrono::minutes in_use{20};
    // What was not used for so long goes, however small the store is; looked for once a week (deploy/R18).
    std::chrono::hours unused_max{30 * 24};
  };
  // A blob as its descriptor names it, and where it is to come from.
  struct Wanted {
    Digest digest;
    std::uint64_t size_bytes = 0;
    std::string source;  // "registry/repository"
    auto operator<=>(const Wanted&) const = default;
  };
  // Gives the bytes of the blob from `offset` on to `write`. Called again with a later offset when it was cut.
  using Download = std::function<Status(std::uint64_t offset, const std::function<Status(std::string_view)>& write)>;

  static Result<std::unique_ptr<ContentStore>> open(Options options);
  virtual ~ContentStore() = default;

  // The file of a blob that is here already, and has that size if one is given; "" if it is not. Counts as a use.
  virtual std::filesystem::path find(const Digest& digest, std::optional<std::uint64_t> size_bytes = std::nullopt) = 0;
  // The file of the blob, downloaded if it is not here. Size and digest are checked before the file gets its name;
  // "blob digest mismatch" (Kind::invalid) and the bytes are deleted otherwise. Calls that want the same of the same
  // source share a download and how it ends. No others: whoever writes one artifact may list another's layers, with
  // another size or in a registry that never gets done.
  virtual Result<std::filesystem::path> get(const Wanted& wanted, const Download& download,
                                            const Deadline& deadline) = 0;
  // The same of bytes that are at hand; nobody waits for anybody.
  virtual Result<std::filesystem::path> put(const Digest& digest, std::uint64_t size_bytes, std::string_view bytes) = 0;
  // Removes least recently used blobs until the store is within its size, and those that were not used for long, but
  // none that is in use; `keep` says which others must stay.
  virtual Status shrink(const std::function<bool(const Digest&)>& keep) = 0;
};

}  // namespace windlass
