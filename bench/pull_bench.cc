// One pull as a deployment does it: resolve the tag, fetch, hash, unpack within all budgets. For bench/pull.py.
//
//     pull_bench REFERENCE FOLDER      unpacks into FOLDER/tree; what was fetched stays in FOLDER/blobs
#include <fmt/format.h>
#include <signal.h>

#include <cstdlib>

#include "base/clock.h"
#include "oci/content_store.h"
#include "oci/credentials.h"
#include "oci/registry.h"
#include "oci/unpack.h"
#include "sys/curl_transport.h"
#include "sys/process.h"

namespace windlass {
namespace {

Result<UnpackedTree> pull(const std::string& artifact, const std::filesystem::path& folder) {
  const SystemClock clock;
  CurlTransport transport;
  const auto processes = make_process_runner();
  const auto credentials = CredentialSource::make({.config_file = folder / "none.json"}, *processes, Log());
  auto store = ContentStore::open({.folder = folder / "blobs"});
  if (!store) return tl::unexpected(store.error());
  const auto registry = Registry::make({}, transport, *credentials, **store, clock, Log());
  const auto deadline = Deadline::in(std::chrono::minutes(10));

  const auto reference = Reference::parse(artifact);
  if (!reference) return tl::unexpected(reference.error());
  const auto digest = registry->tag_digest(*reference, deadline);
  if (!digest) return tl::unexpected(digest.error());
  if (!*digest) return fail(Kind::not_found, "no such tag");
  const auto fetched = registry->fetch(*reference, **digest, deadline);
  if (!fetched) return tl::unexpected(fetched.error());
  return unpack(*fetched, folder / "tree", UnpackLimits(), Secret("key"), deadline);
}

}  // namespace
}  // namespace windlass

int main(int count, char** arguments) {
  if (count != 3) {
    fmt::print(stderr, "usage: pull_bench REFERENCE FOLDER\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  const auto tree = windlass::pull(arguments[1], arguments[2]);
  if (!tree) {
    fmt::print(stderr, "{}\n", tree.error().message);
    return 1;
  }
  fmt::print("{}\n", tree->entries.size());
}
