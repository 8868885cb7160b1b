#include "cli/push.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "base/text.h"
#include "cli/folder_packing.h"
#include "cli/progress.h"
#include "cli/push_order.h"
#include "cli/registry_client.h"
#include "oci/push.h"
#include "oci/push_manifest.h"
#include "oci/push_signature.h"
#include "sys/crypto.h"
#include "sys/files.h"
#include "sys/json.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

// A slow line may need it; one that stands still is cut long before.
constexpr std::chrono::milliseconds kUploadTimeout = 6h;

class Push {
 public:
  Push(const PushCommand& command, const Environment& environment, HttpTransport& transport, PushOrder order)
      : command_(command),
        environment_(environment),
        transport_(transport),
        order_(std::move(order)),
        progress_(STDERR_FILENO, command.quiet) {}

  Status run() {
    auto layer = pack();
    if (!layer) return tl::unexpected(layer.error());
    auto digest = upload(*layer);
    if (!digest) return tl::unexpected(digest.error());
    if (auto told = tell(*layer, *digest); !told) return told;
    return order_.announcement ? announce(*digest) : Status();
  }

 private:
  Result<PackedLayer> pack() {
    const FolderOrder order{
        .folder = command_.folder, .compression = command_.compression, .needs_config = command_.needs_config};
    return pack_folder(order, environment_, progress_);
  }

  // By its digest first: a tag must not point to what is not complete, or not signed.
  Result<Digest> upload(const PackedLayer& layer) {
    auto client = RegistryClient::make(environment_, transport_);
    if (!client) return tl::unexpected(client.error());
    Pusher pusher((*client)->access(), (*client)->options());
    const auto deadline = Deadline::in(kUploadTimeout);
    const auto& repository = order_.reference;
    const auto config = push_config(layer);
    for (const auto& blob : {blob_of_file(layer.digest, layer.file.get(), layer.size_bytes), blob_of(config)}) {
      const auto all = blob.body.size_bytes;
      const auto outcome = pusher.push_blob(
          repository, blob, [&](auto done) { progress_.update("uploading", done, all); }, deadline);
      if (!outcome) return tl::unexpected(outcome.error());
      const bool is_new = *outcome == Pusher::Outcome::uploaded;
      progress_.say(fmt::format("{} {} {}", is_new ? "uploaded" : "was there:", blob.digest.str(), shown_bytes(all)));
    }
    const auto manifest = push_manifest(layer, order_.annotations);
    auto digest = pusher.push_manifest(repository, Digest::of_sha256_hex(sha256_hex(manifest)).str(),
                                       kManifestMediaType, manifest, deadline);
    if (digest && order_.key)
      if (auto put = sign(pusher, *digest, deadline); !put) return tl::unexpected(put.error());
    for (const auto& name : order_.names) {
      if (digest) digest = pusher.push_manifest(repository, name.tag(), kManifestMediaType, manifest, deadline);
      if (digest) progress_.say(fmt::format("tagged {}", name.str()));
    }
    return digest;
  }

  Status sign(Pusher& pusher, const Digest& digest, const Deadline& deadline) {
    if (auto put = push_signature(pusher, order_.reference, digest, *order_.key, deadline); !put)
      return while_doing("signing", put.error());
    progress_.say(fmt::format("signed with key {}", order_.key->public_key().fingerprint()));
    return {};
  }

  Status tell(const PackedLayer& layer, const Digest& digest) const {
    if (!command_.digest_file.empty())
      if (auto written = write_file(command_.digest_file, digest.str() + "\n", 0644); !written) return written;
    if (command_.as_json) {
      json::array tags;
      for (const auto& name : order_.names) tags.emplace_back(name.tag());
      const json::object all{{"reference", order_.reference.str()},
                             {"digest", digest.str()},
                             {"tags", std::move(tags)},
                             {"layer", layer.digest.str()},
                             {"layer_bytes", layer.size_bytes}};
      fmt::print("{}\n", json::serialize(all));
    } else {
      fmt::print("{}@{}\n", order_.reference.str(), digest.str());
    }
    std::fflush(stdout);  // before a wait that may be long
    return {};
  }

  Status announce(const Digest& digest) {
    const auto outcome = order_.announcement->send(order_.reference, digest, transport_,
                                                   [&](std::string_view line) { progress_.say(line); });
    if (!outcome) return tl::unexpected(outcome.error());
    progress_.say(fmt::format("{} (job {})", outcome->message, outcome->job_id));
    return {};
  }

  const PushCommand& command_;
  const Environment& environment_;
  HttpTransport& transport_;
  PushOrder order_;
  Progress progress_;
};

int end_with(int code, const Error& error) {
  for (const auto line : split(error.message, '\n')) fmt::print(stderr, "windlass push: {}\n", line);
  return code;
}

}  // namespace

int push(const PushCommand& command, const Environment& environment, HttpTransport& transport) {
  auto order = push_order(command, environment);
  if (!order) return end_with(2, order.error());
  const auto done = Push(command, environment, transport, std::move(*order)).run();
  return done ? 0 : end_with(1, done.error());
}

}  // namespace windlass
