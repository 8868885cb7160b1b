#include "oci/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/text.h"
#include "oci/blob_hash.h"
#include "oci/content_store.h"
#include "oci/manifest.h"
#include "oci/registry_access.h"
#include "sys/crypto.h"
#include "sys/files.h"

namespace windlass {
namespace {

constexpr int kIndexDepthMax = 2;
constexpr std::size_t kDownloadsMax = 4;  // at once, of one artifact

class HttpRegistry final : public Registry {
 public:
  HttpRegistry(RegistryOptions options, HttpTransport& transport, CredentialSource& credentials, ContentStore& store,
               Log log)
      : layers_bytes_max_(options.layers_bytes_max),
        access_(std::move(options), transport, credentials, std::move(log)),
        store_(store) {}

  Result<std::optional<Digest>> tag_digest(const Reference& reference, const Deadline& deadline) override {
    const auto ask = manifest_ask(reference, "HEAD", reference.tag());
    auto head = access_.ask(reference, ask, deadline);
    if (!head) return tl::unexpected(head.error());
    if (head->status == 200)
      if (auto digest = Digest::parse(trim(head->header("Docker-Content-Digest")));
          digest && digest->algorithm() == "sha256")
        return std::optional(*digest);
    // no digest, or no such tag, or an error: a HEAD has no body, only the GET tells why
    auto manifest = get_manifest(reference, reference.tag(), std::nullopt, deadline);
    if (!manifest) return tl::unexpected(manifest.error());
    return *manifest ? std::optional((*manifest)->digest) : std::nullopt;
  }

  Result<std::optional<ManifestBytes>> manifest(const Reference& repository, const Digest& digest,
                                                const Deadline& deadline) override {
    if (auto kept = kept_manifest(digest)) return kept;
    return get_manifest(repository, digest.str(), digest, deadline);
  }

  Result<bool> is_child_of(const Reference& repository, const Digest& child, const Digest& parent,
                           const Deadline& deadline) override {
    auto document = document_of(repository, parent, deadline);
    if (!document) return tl::unexpected(document.error());
    const auto* index = std::get_if<ImageIndex>(&*document);
    return index && std::any_of(index->children.begin(), index->children.end(),
                                [&](const auto& each) { return each.digest == child; });
  }

  Result<FetchedArtifact> fetch(const Reference& repository, const Digest& digest, const Deadline& deadline) override {
    auto manifest_digest = digest;
    auto document = document_of(repository, digest, deadline);
    for (int depth = 1; document && std::holds_alternative<ImageIndex>(*document); ++depth) {
      if (depth > kIndexDepthMax)
        return fail(Kind::invalid, fmt::format("index {} is nested deeper than {}", digest.str(), kIndexDepthMax));
      auto child = choose_child(std::get<ImageIndex>(*document), host_platform());
      if (!child) return tl::unexpected(child.error());
      manifest_digest = child->digest;
      document = document_of(repository, child->digest, deadline, child->size_bytes);
    }
    if (!document) return tl::unexpected(document.error());
    auto& image = std::get<ImageManifest>(*document);
    auto layers = fetch_layers(repository, image.layers, deadline);
    if (!layers) return tl::unexpected(layers.error());
    return FetchedArtifact{digest, manifest_digest, std::move(image.artifact_type), std::move(*layers)};
  }

 private:
  using Ask = RegistryAccess::Ask;

  static Ask manifest_ask(const Reference& reference, const char* method, const std::string& identifier) {
    return {.method = method,
            .path = fmt::format("/v2/{}/manifests/{}", reference.repository(), identifier),
            .headers = {{"Accept", kManifestTypes}},
            .body_bytes_max = kManifestBytesMax};
  }

  std::optional<ManifestBytes> kept_manifest(const Digest& digest) {
    const auto file = store_.find(digest);
    if (file.empty()) return std::nullopt;
    auto bytes = read_file(file, kManifestBytesMax);
    if (!bytes) return std::nullopt;
    auto document = parse_manifest(*bytes, "");
    if (!document) return std::nullopt;
    auto type = std::visit([](const auto& each) { return each.media_type; }, *document);
    return ManifestBytes{digest, std::move(type), std::move(*bytes)};
  }

  // `wanted` is what the bytes must hash to; without it their SHA-256 is the digest.
  Result<std::optional<ManifestBytes>> get_manifest(const Reference& reference, const std::string& identifier,
                                                    const std::optional<Digest>& wanted, const Deadline& deadline) {
    const auto ask = manifest_ask(reference, "GET", identifier);
    auto response = access_.ask(reference, ask, deadline);
    if (!response) return tl::unexpected(response.error());
    if (response->status == 404) return std::optional<ManifestBytes>();
    if (response->status != 200) return tl::unexpected(access_.error_of(reference, ask, *response));
    auto& bytes = response->body;
    const auto where = fmt::format("GET {}{}", reference.registry(), ask.path);
    if (wanted && !matches(*wanted, bytes))
      return fail(Kind::invalid, fmt::format("{}: manifest digest mismatch: got sha256:{}", where, sha256_hex(bytes)));
    auto document = parse_manifest(bytes, response->header("Content-Type"));
    if (!document) return while_doing(where, document.error());
    const auto digest = wanted.value_or(Digest::of_sha256_hex(sha256_hex(bytes)));
    auto kept = store_.get(
        digest, bytes.size(), [&](std::uint64_t, const auto& write) { return write(bytes); }, deadline);
    if (!kept) return tl::unexpected(kept.error());
    auto type = std::visit([](const auto& each) { return each.media_type; }, *document);
    return std::optional(ManifestBytes{digest, std::move(type), std::move(bytes)});
  }

  Result<ManifestDocument> document_of(const Reference& repository, const Digest& digest, const Deadline& deadline,
                                       std::optional<std::uint64_t> size_bytes = std::nullopt) {
    auto found = manifest(repository, digest, deadline);
    if (!found) return tl::unexpected(found.error());
    if (!*found)
      return fail(Kind::not_found, fmt::format("manifest {} not found in {}", digest.str(), repository.source_id()));
    if (size_bytes && (*found)->bytes.size() != *size_bytes)
      return fail(Kind::invalid, fmt::format("manifest {} has {} bytes, its descriptor says {}", digest.str(),
                                             (*found)->bytes.size(), *size_bytes));
    return parse_manifest((*found)->bytes, (*found)->media_type);
  }

  Result<std::vector<StoredLayer>> fetch_layers(const Reference& repository, const std::vector<Descriptor>& layers,
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
    std::vector<Status> results(missing.size());
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
      for (std::size_t i; (i = next++) < missing.size();) {
        auto file = fetch_blob(repository, layers[missing[i]], deadline);
        if (file) {
          stored[missing[i]].file = std::move(*file);
        } else {
          results[i] = while_doing(fmt::format("layer {}", missing[i] + 1), file.error());
          next = missing.size();  // the others need not begin
        }
      }
    };
    {
      std::vector<std::jthread> helpers;
      for (std::size_t i = 1; i < std::min(missing.size(), kDownloadsMax); ++i) helpers.emplace_back(work);
      work();
    }
    for (const auto& result : results)
      if (!result) return tl::unexpected(result.error());
    return stored;
  }

  Result<std::filesystem::path> fetch_blob(const Reference& repository, const Descriptor& blob,
                                           const Deadline& deadline) {
    return store_.get(
        blob.digest, blob.size_bytes,
        [&](std::uint64_t offset, const auto& write) -> Status {
          if (blob.data) return write(*blob.data);
          auto done = download(repository, blob, offset, write, deadline);
          return done ? Status() : tl::unexpected(done.error());
        },
        deadline);
  }

  // A registry that does not do ranges sends all of it again: what we have is skipped. The hash is over the whole.
  Status download(const Reference& repository, const Descriptor& blob, std::uint64_t offset,
                  const std::function<Status(std::string_view)>& write, const Deadline& deadline) {
    std::uint64_t skip = 0;
    Ask ask{.path = fmt::format("/v2/{}/blobs/{}", repository.repository(), blob.digest.str())};
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

  std::uint64_t layers_bytes_max_;
  RegistryAccess access_;
  ContentStore& store_;
};

}  // namespace

std::unique_ptr<Registry> Registry::make(RegistryOptions options, HttpTransport& transport,
                                         CredentialSource& credentials, ContentStore& store, Log log) {
  return std::make_unique<HttpRegistry>(std::move(options), transport, credentials, store, std::move(log));
}

}  // namespace windlass
