#include "oci/push.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/text.h"
#include "oci/manifest.h"
#include "oci/registry_access.h"
#include "sys/crypto.h"
#include "sys/files.h"
#include "sys/http_retry.h"

namespace windlass {
namespace {

using Ask = RegistryAccess::Ask;

// Where the bytes of an upload go: its Location, to which the digest is added.
std::string with_digest(std::string_view location, const Digest& digest) {
  return fmt::format("{}{}digest={}", location, location.find('?') == location.npos ? '?' : '&', digest.str());
}

UploadBody watched(const UploadBody& body, const std::function<void(std::uint64_t)>& on_progress) {
  return {body.size_bytes,
          [&body, &on_progress](std::uint64_t offset, char* out, std::size_t out_bytes) -> Result<std::size_t> {
            auto read = body.read(offset, out, out_bytes);
            if (read) on_progress(offset + *read);
            return read;
          }};
}

}  // namespace

PushedBlob blob_of(std::string bytes) {
  const auto digest = Digest::of_sha256_hex(sha256_hex(bytes));
  const auto size_bytes = bytes.size();
  return {digest,
          {size_bytes, [bytes = std::move(bytes)](std::uint64_t offset, char* out, std::size_t out_bytes) {
             return Result<std::size_t>(bytes.copy(out, out_bytes, std::min<std::size_t>(offset, bytes.size())));
           }}};
}

PushedBlob blob_of_file(const Digest& digest, int fd, std::uint64_t size_bytes) {
  return {digest, {size_bytes, [fd](std::uint64_t offset, char* out, std::size_t out_bytes) -> Result<std::size_t> {
                     ssize_t got;
                     do got = ::pread(fd, out, out_bytes, static_cast<off_t>(offset));
                     while (got < 0 && errno == EINTR);
                     if (got < 0) return tl::unexpected(system_error("reading the layer", errno));
                     return static_cast<std::size_t>(got);
                   }}};
}

Result<bool> Pusher::has_blob(const Reference& repository, const Digest& digest, const Deadline& deadline) {
  const Ask ask{
      .method = "HEAD", .path = fmt::format("/v2/{}/blobs/{}", repository.repository(), digest.str()), .pushes = true};
  auto response = access_.ask(repository, ask, deadline);
  if (!response) return tl::unexpected(response.error());
  if (response->status == 200 || response->status == 404) return response->status == 200;
  return tl::unexpected(access_.error_of(repository, ask, *response));
}

Result<Pusher::Outcome> Pusher::push_blob(const Reference& repository, const PushedBlob& blob,
                                          const std::function<void(std::uint64_t)>& on_progress,
                                          const Deadline& deadline) {
  for (int attempt = 1;; ++attempt) {
    auto there = has_blob(repository, blob.digest, deadline);
    if (!there) return tl::unexpected(there.error());
    if (*there) return attempt == 1 ? Outcome::was_there : Outcome::uploaded;
    auto done = upload(repository, blob, on_progress, deadline);
    if (done) return Outcome::uploaded;
    const auto wait = backoff(attempt - 1, options_.backoff_base, options_.backoff_max);
    if (done.error().kind != Kind::unavailable || attempt >= options_.attempts_max || !pause(wait, deadline))
      return tl::unexpected(done.error());
  }
}

// In one piece, which every registry takes (distribution-spec, "Pushing a blob monolithically").
Status Pusher::upload(const Reference& repository, const PushedBlob& blob,
                      const std::function<void(std::uint64_t)>& on_progress, const Deadline& deadline) {
  const Ask begin{
      .method = "POST", .path = fmt::format("/v2/{}/blobs/uploads/", repository.repository()), .pushes = true};
  auto begun = access_.ask(repository, begin, deadline);
  if (!begun) return tl::unexpected(begun.error());
  if (begun->status != 202) return tl::unexpected(access_.error_of(repository, begin, *begun));
  const auto location = begun->header("Location");
  if (location.empty())
    return fail(Kind::invalid, fmt::format("POST {}{}: answer without a Location", repository.registry(), begin.path));

  const Ask put{.method = "PUT",
                .path = with_digest(location, blob.digest),
                .headers = {{"Content-Type", "application/octet-stream"}},
                .upload = watched(blob.body, on_progress),
                .pushes = true,
                .is_asked_again = false};
  auto response = access_.ask(repository, put, deadline);
  if (!response) return tl::unexpected(response.error());
  if (response->status == 201) return {};
  auto error = access_.error_of(repository, put, *response);
  if (response->status == 404 || response->status == 416) error.kind = Kind::unavailable;  // the upload is gone
  return tl::unexpected(std::move(error));
}

Result<std::optional<std::string>> Pusher::manifest(const Reference& repository, const std::string& tag,
                                                    const Deadline& deadline) {
  const Ask ask{.path = fmt::format("/v2/{}/manifests/{}", repository.repository(), tag),
                .headers = {{"Accept", kManifestAccept}},
                .pushes = true,
                .body_bytes_max = kManifestBytesMax};
  auto response = access_.ask(repository, ask, deadline);
  if (!response) return tl::unexpected(response.error());
  if (response->status == 404) return std::optional<std::string>();
  if (response->status != 200) return tl::unexpected(access_.error_of(repository, ask, *response));
  return std::optional(std::move(response->body));
}

Result<Digest> Pusher::push_manifest(const Reference& repository, const std::string& name,
                                     const std::string& media_type, const std::string& bytes,
                                     const Deadline& deadline) {
  const auto digest = Digest::of_sha256_hex(sha256_hex(bytes));
  const Ask ask{.method = "PUT",
                .path = fmt::format("/v2/{}/manifests/{}", repository.repository(), name),
                .headers = {{"Content-Type", media_type}},
                .body = bytes,
                .pushes = true};
  auto response = access_.ask(repository, ask, deadline);
  if (!response) return tl::unexpected(response.error());
  if (response->status != 201) return tl::unexpected(access_.error_of(repository, ask, *response));
  const auto stored = trim(response->header("Docker-Content-Digest"));
  if (!stored.empty() && stored != digest.str())
    return fail(Kind::invalid, fmt::format("PUT {}{}: registry stored {} instead of {}", repository.registry(),
                                           ask.path, printable(stored, 100), digest.str()));
  return digest;
}

}  // namespace windlass
