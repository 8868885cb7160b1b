// What an engine on another machine gets of a release's files (deploy/Y7): the content of its configs and secrets.
//
// That engine does not see our live directory: what a container would mount from there, it would not find.
#pragma once

#include <string>
#include <vector>

#include "base/secret.h"
#include "config/source_path.h"
#include "driver/driver.h"
#include "oci/unpack.h"
#include "sys/json.h"

namespace windlass {

// The content of one config or secret, which a model names by a file of the release.
struct FileContent {
  enum class Of { config, secret };
  Of of;
  std::string name;  // in the model
  Secret content;
};

// Of every config and secret of the model that services use and that is a file of the release. `model`: resolved, its
// paths below `live_root`; `files`: the release, in plain text. Kind::invalid names all that cannot reach that engine:
// mounts of files or folders of the live directory, and files that are no text or too large.
Result<std::vector<FileContent>> contents_to_send(const json::object& model, const std::string& live_root,
                                                  const UnpackedTree& tree, const SourceFiles& files);

// In the model itself, of secrets in a variable that only the driver's tool sees.
void put_contents(const std::vector<FileContent>& contents, ResolvedStack& stack);

}  // namespace windlass
