#include "oci/manifest_client.h"

#include <fmt/format.h>

#include "base/text.h"
#include "oci/blob_hash.h"
#include "oci/registry_answer.h"
#include "sys/crypto.h"
#include "sys/files.h"
#include "sys/http_retry.h"

namespace windlass {
namespace {

RegistryAccess::Ask ask_for(const char* method, const Reference& repository, const std::string& identifier) {
  return {.method = method,
          .path = fmt::format("/v2/{}/manifests/{}", repository.repository(), identifier),
          .headers = {{"Accept", kManifestAccept}},
          .body_bytes_max = kManifestBytesMax};
}

std::optional<Digest> digest_in(const HttpResponse& head) {
  if (head.status != 200) return std::nullopt;
  const auto said = head.header("Docker-Content-Digest");
  for (const auto& each : head.headers)  // of two that differ none counts (reliability/F56)
    if (same_name(each.name, "Docker-Content-Digest") && each.value != said) return std::nullopt;
  auto digest = Digest::parse(trim(said));
  if (!digest || digest->algorithm() != "sha256") return std::nullopt;
  return *std::move(digest);
}

Result<TagLook> refused(const Error& error, const HttpResponse& response) {
  const auto wait = parse_retry_after(response.header("Retry-After"), std::chrono::system_clock::now());
  if (!wait) return tl::unexpected(error);
  return TagLook{.come_again = wait, .reason = error.message};
}

std::string media_type_of(const ManifestDocument& document) {
  return std::visit([](const auto& each) { return each.media_type; }, document);
}

}  // namespace

Result<std::optional<Digest>> ManifestClient::digest_of_tag(const Reference& reference, const Deadline& deadline) {
  auto head = access_.ask(reference, ask_for("HEAD", reference, reference.tag()), deadline);
  if (!head) return tl::unexpected(head.error());
  if (auto digest = digest_in(*head)) return digest;
  return digest_by_get(reference, deadline);
}

Result<TagLook> ManifestClient::look_at_tag(const Reference& reference, const std::optional<TagView>& last,
                                            const Deadline& deadline) {
  if (const auto left = access_.left_alone_for(reference))
    return TagLook{.come_again = left, .reason = left_alone_reason(reference, *left)};
  auto ask = ask_for("HEAD", reference, reference.tag());
  ask.once = true;
  if (last && !last->etag.empty()) ask.headers.push_back({"If-None-Match", last->etag});
  auto head = access_.ask(reference, ask, deadline);
  if (!head) return tl::unexpected(head.error());
  if (head->status == 304 && last) return TagLook{.view = last};
  if (is_worth_a_retry(head->status)) return refused(access_.error_of(reference, ask, *head), *head);
  if (auto digest = digest_in(*head))
    return TagLook{.view = TagView{*std::move(digest), std::string(trim(head->header("ETag")))}};
  auto digest = digest_by_get(reference, deadline);
  if (!digest) return tl::unexpected(digest.error());
  return *digest ? TagLook{.view = TagView{**std::move(digest), ""}} : TagLook{};
}

// Where a HEAD gave no digest, or no such tag, or an error: it has no body, only the GET tells why.
Result<std::optional<Digest>> ManifestClient::digest_by_get(const Reference& reference, const Deadline& deadline) {
  auto manifest = get(reference, reference.tag(), std::nullopt, deadline);
  if (!manifest) return tl::unexpected(manifest.error());
  return *manifest ? std::optional((*manifest)->digest) : std::nullopt;
}

Result<std::optional<ManifestBytes>> ManifestClient::by_tag(const Reference& repository, const std::string& tag,
                                                            const Deadline& deadline) {
  auto found = get(repository, tag, std::nullopt, deadline);
  if (!found && found.error().kind == Kind::not_found) return std::optional<ManifestBytes>();
  return found;
}

Result<std::optional<ManifestBytes>> ManifestClient::by_digest(const Reference& repository, const Digest& digest,
                                                               const Deadline& deadline) {
  if (auto found = kept(digest)) return found;
  return get(repository, digest.str(), digest, deadline);
}

Result<std::optional<ManifestBytes>> ManifestClient::present(const Reference& repository, const Digest& digest,
                                                             const Deadline& deadline) {
  if (auto found = kept(digest)) {
    auto ask = ask_for("HEAD", repository, digest.str());
    ask.is_immutable = true;
    const auto head = access_.ask(repository, ask, deadline);
    if (!head) return tl::unexpected(head.error());
    if (head->status == 200) return found;
    if (head->status == 404) return std::optional<ManifestBytes>();
  }
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
  auto ask = ask_for("GET", repository, identifier);
  ask.is_immutable = wanted.has_value();
  auto response = access_.ask(repository, ask, deadline);
  if (!response) return tl::unexpected(response.error());
  if (response->status == 404 && !knows_no_repository(*response)) return std::optional<ManifestBytes>();
  if (response->status != 200) return tl::unexpected(access_.error_of(repository, ask, *response));
  auto& bytes = response->body;
  const auto where = fmt::format("GET {}{}", repository.registry(), ask.path);
  if (wanted && !matches(*wanted, bytes))
    return fail(Kind::invalid, fmt::format("{}: manifest digest mismatch: got sha256:{}", where, sha256_hex(bytes)));
  // more layers than an artifact to unpack may have: a signature manifest has one for each signature (oci 12)
  auto document = parse_manifest(bytes, response->header("Content-Type"), kSignatureLayersMax);
  if (!document) return while_doing(where, document.error());
  const auto digest = wanted.value_or(Digest::of_sha256_hex(sha256_hex(bytes)));
  auto stored = store_.put(digest, bytes.size(), bytes);
  if (!stored) return tl::unexpected(stored.error());
  return std::optional(ManifestBytes{digest, media_type_of(*document), std::move(bytes)});
}

}  // namespace windlass
