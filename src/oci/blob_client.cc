#include "oci/blob_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "base/parallel.h"

namespace windlass {
namespace {

constexpr std::size_t kDownloadsMax = 4;  // at once, of one artifact

}  // namespace

Result<std::filesystem::path> BlobClient::fetch(const Reference& repository, const Descriptor& blob,
                                                const Deadline& deadline) {
  if (blob.data) return store_.put(blob.digest, blob.size_bytes, *blob.data);
  return store_.get(
      {blob.digest, blob.size_bytes, repository.source_id()},
      [&](std::uint64_t offset, const auto& write) { return download(repository, blob, offset, write, deadline); },
      deadline);
}

Result<std::vector<StoredLayer>> BlobClient::fetch_layers(const Reference& repository,
                                                          const std::vector<Descriptor>& layers,
                                                          const Deadline& deadline) {
  std::uint64_t bytes = 0;
  std::vector<StoredLayer> stored;
  std::vector<std::size_t> missing;
  for (const auto& layer : layers) {
    if (layer.size_bytes > layers_bytes_max_ - bytes)
      return fail(Kind::invalid, fmt::format("layers are over {} bytes", layers_bytes_max_));
    bytes += layer.size_bytes;
    auto file = store_.find(layer.digest, layer.size_bytes);
    if (file.empty()) missing.push_back(stored.size());
    stored.push_back({layer.digest, layer.media_type, layer.size_bytes, layer.annotations, std::move(file)});
  }
  std::atomic<bool> has_failed = false;  // the others need not begin
  const auto results = for_each_index(missing.size(), kDownloadsMax, [&](std::size_t i) -> Status {
    if (has_failed) return {};
    auto file = fetch(repository, layers[missing[i]], deadline);
    if (!file) {
      has_failed = true;
      return while_doing(fmt::format("layer {}", missing[i] + 1), file.error());
    }
    stored[missing[i]].file = std::move(*file);
    return {};
  });
  for (const auto& result : results)
    if (!result) return tl::unexpected(result.error());
  return stored;
}

// A registry that does not do ranges sends all of it again: what we have is skipped. The hash is over the whole.
Status BlobClient::download(const Reference& repository, const Descriptor& blob, std::uint64_t offset,
                            const std::function<Status(std::string_view)>& write, const Deadline& deadline) {
  std::uint64_t skip = 0;
  RegistryAccess::Ask ask{.path = fmt::format("/v2/{}/blobs/{}", repository.repository(), blob.digest.str()),
                          .is_immutable = true};
  if (offset > 0) ask.headers.push_back({"Range", fmt::format("bytes={}-", offset)});
  ask.wants = [&](const HttpResponse& head) {
    const auto range = fmt::format("bytes {}-{}/", offset, blob.size_bytes - 1);
    const bool continues = head.status == 206 && head.header("Content-Range").starts_with(range);
    if (head.status == 200) skip = offset;
    return head.status == 200 || (offset > 0 && continues);
  };
  ask.sink = [&](std::string_view bytes) {
    const auto skipped = std::min<std::uint64_t>(skip, bytes.size());
    skip -= skipped;
    return write(bytes.substr(skipped));
  };
  auto response = access_.ask(repository, ask, deadline);
  if (!response) return tl::unexpected(response.error());
  if (offset > 0 && (response->status == 416 || (response->status == 206 && !ask.wants(*response)))) {
    ask.headers.clear();
    response = access_.ask(repository, ask, deadline);
    if (!response) return tl::unexpected(response.error());
  }
  if (response->status == 200 || response->status == 206) return {};
  return tl::unexpected(access_.error_of(repository, ask, *response));
}

}  // namespace windlass
