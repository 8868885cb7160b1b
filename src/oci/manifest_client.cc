#include "oci/manifest_client.h"

#include <fmt/format.h>

#include "base/text.h"
#include "oci/blob_hash.h"
#include "sys/crypto.h"
#include "sys/files.h"

namespace windlass {
namespace {

RegistryAccess::Ask ask_for(const char* method, const Reference& repository, const std::string& identifier) {
  return {.method = method,
          .path = fmt::format("/v2/{}/manifests/{}", repository.repository(), identifier),
          .headers = {{"Accept", kManifestTypes}},
          .body_bytes_max = kManifestBytesMax};
}

std::string media_type_of(const ManifestDocument& document) {
  return std::visit([](const auto& each) { return each.media_type; }, document);
}

}  // namespace

Result<std::optional<Digest>> ManifestClient::digest_of_tag(const Reference& reference, const Deadline& deadline) {
  auto head = access_.ask(reference, ask_for("HEAD", reference, reference.tag()), deadline);
  if (!head) return tl::unexpected(head.error());
  if (head->status == 200)
    if (auto digest = Digest::parse(trim(head->header("Docker-Content-Digest")));
        digest && digest->algorithm() == "sha256")
      return std::optional(*digest);
  // no digest, or no such tag, or an error: a HEAD has no body, only the GET tells why
  auto manifest = by_tag(reference, reference.tag(), deadline);
  if (!manifest) return tl::unexpected(manifest.error());
  return *manifest ? std::optional((*manifest)->digest) : std::nullopt;
}

Result<std::optional<ManifestBytes>> ManifestClient::by_tag(const Reference& repository, const std::string& tag,
                                                            const Deadline& deadline) {
  return get(repository, tag, std::nullopt, deadline);
}

Result<std::optional<ManifestBytes>> ManifestClient::by_digest(const Reference& repository, const Digest& digest,
                                                               const Deadline& deadline) {
  if (auto found = kept(digest)) return found;
  return get(repository, digest.str(), digest, deadline);
}

Result<ManifestDocument> ManifestClient::document(const Reference& repository, const Digest& digest,
                                                  const Deadline& deadline, std::optional<std::uint64_t> size_bytes) {
  auto found = by_digest(repository, digest, deadline);
  if (!found) return tl::unexpected(found.error());
  if (!*found)
    return fail(Kind::not_found, fmt::format("manifest {} not found in {}", digest.str(), repository.source_id()));
  if (size_bytes && (*found)->bytes.size() != *size_bytes)
    return fail(Kind::invalid, fmt::format("manifest {} has {} bytes, its descriptor says {}", digest.str(),
                                           (*found)->bytes.size(), *size_bytes));
  return parse_manifest((*found)->bytes, (*found)->media_type);
}

std::optional<ManifestBytes> ManifestClient::kept(const Digest& digest) {
  const auto file = store_.find(digest);
  if (file.empty()) return std::nullopt;
  auto bytes = read_file(file, kManifestBytesMax);
  if (!bytes) return std::nullopt;
  auto document = parse_manifest(*bytes, "", kSignatureLayersMax);
  if (!document) return std::nullopt;
  return ManifestBytes{digest, media_type_of(*document), std::move(*bytes)};
}

// `wanted` is what the bytes must hash to; without it their SHA-256 is the digest.
Result<std::optional<ManifestBytes>> ManifestClient::get(const Reference& repository, const std::string& identifier,
                                                         const std::optional<Digest>& wanted,
                                                         const Deadline& deadline) {
  const auto ask = ask_for("GET", repository, identifier);
  auto response = access_.ask(repository, ask, deadline);
  if (!response) return tl::unexpected(response.error());
  if (response->status == 404) return std::optional<ManifestBytes>();
  if (response->status != 200) return tl::unexpected(access_.error_of(repository, ask, *response));
  auto& bytes = response->body;
  const auto where = fmt::format("GET {}{}", repository.registry(), ask.path);
  if (wanted && !matches(*wanted, bytes))
    return fail(Kind::invalid, fmt::format("{}: manifest digest mismatch: got sha256:{}", where, sha256_hex(bytes)));
  // more layers than an artifact to unpack may have: a signature manifest has one for each signature (oci 12)
  auto document = parse_manifest(bytes, response->header("Content-Type"), kSignatureLayersMax);
  if (!document) return while_doing(where, document.error());
  const auto digest = wanted.value_or(Digest::of_sha256_hex(sha256_hex(bytes)));
  auto stored = store_.get(
      digest, bytes.size(), [&](std::uint64_t, const auto& write) { return write(bytes); }, deadline);
  if (!stored) return tl::unexpected(stored.error());
  return std::optional(ManifestBytes{digest, media_type_of(*document), std::move(bytes)});
}

}  // namespace windlass
