// `windlass push`: a folder becomes an artifact in a registry (api/L3b).
//
// Everything that would make its deployment fail and can be seen here is said before a byte is sent; equal folders give
// equal digests; a tag points to the artifact only once all of it is there.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/announcement.h"
#include "config/settings.h"
#include "oci/packed_layer.h"
#include "sys/http_client.h"

namespace windlass {

struct PushCommand {
  std::string folder;
  std::string reference;
  std::vector<std::string> tags;         // beside that of the reference
  std::vector<std::string> annotations;  // "key=value", of the manifest
  LayerCompression compression = LayerCompression::gzip;
  bool needs_config = true;  // --no-config: the deployment is configured elsewhere
  bool as_json = false;
  bool quiet = false;
  std::string digest_file;    // gets the digest
  std::string key_file;       // --sign: "" for no signature
  std::string password_file;  // of the key; "": COSIGN_PASSWORD
  std::optional<NotifyOptions> notify;
  std::string ca_file;
};

// The exit code: 0 when all was done, 1 when not, 2 for wrong usage. Standard output gets "REF@DIGEST", or one JSON
// object; standard error what is done.
int push(const PushCommand& command, const Environment& environment, HttpTransport& transport);

}  // namespace windlass
