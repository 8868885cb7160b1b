// Giving an artifact to a registry (OCI distribution-spec 1.1, "Push"): blobs first, then the manifest that names them.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/deadline.h"
#include "base/result.h"
#include "model/digest.h"
#include "oci/reference.h"
#include "oci/registry.h"
#include "sys/http_client.h"

namespace windlass {

class RegistryAccess;

// Bytes to be given away: in memory, or read where they lie.
struct PushedBlob {
  Digest digest;
  UploadBody body;
};
PushedBlob blob_of(std::string bytes);
// `fd` must stay open until the push is over.
PushedBlob blob_of_file(const Digest& digest, int fd, std::uint64_t size_bytes);

class Pusher {
 public:
  // `attempts_max` uploads of one blob, with the pauses of `options`.
  Pusher(RegistryAccess& access, const RegistryOptions& options) : access_(access), options_(options) {}

  enum class Outcome { uploaded, was_there };
  // Asks first whether the repository has it. An upload that is cut begins anew; sizes and digest are checked by the
  // registry. `on_progress` gets the bytes sent so far, fewer again when an upload begins anew.
  Result<Outcome> push_blob(const Reference& repository, const PushedBlob& blob,
                            const std::function<void(std::uint64_t)>& on_progress, const Deadline& deadline);

  // The bytes of the manifest at a tag; nothing if there is none (404). As the registry gives them, unchecked.
  Result<std::optional<std::string>> manifest(const Reference& repository, const std::string& tag,
                                              const Deadline& deadline);

  // Puts the manifest by `name`, a tag or its digest, and gives its digest. What a registry says it stored must be what
  // was sent: Kind::invalid otherwise.
  Result<Digest> push_manifest(const Reference& repository, const std::string& name, const std::string& media_type,
                               const std::string& bytes, const Deadline& deadline);

 private:
  Result<bool> has_blob(const Reference& repository, const Digest& digest, const Deadline& deadline);
  Status upload(const Reference& repository, const PushedBlob& blob,
                const std::function<void(std::uint64_t)>& on_progress, const Deadline& deadline);

  RegistryAccess& access_;
  RegistryOptions options_;
};

}  // namespace windlass
