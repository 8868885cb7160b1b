#include "oci/referrers.h"

#include <fmt/format.h>

#include <optional>

#include "base/text.h"
#include "oci/link_header.h"
#include "sys/url.h"

namespace windlass {
namespace {

// Collects what was asked for, up to the limit.
class Listing {
 public:
  explicit Listing(const std::string& artifact_type) : artifact_type_(artifact_type) {}

  Status add(ImageIndex index) {
    for (auto& child : index.children) {
      if (!artifact_type_.empty() && child.artifact_type != artifact_type_) continue;
      if (found_.size() == kReferrersMax)
        return fail(Kind::invalid, fmt::format("more than {} referrers", kReferrersMax));
      found_.push_back(std::move(child));
    }
    return {};
  }
  std::vector<Descriptor> take() { return std::move(found_); }

 private:
  const std::string& artifact_type_;
  std::vector<Descriptor> found_;
};

bool is_index_type(std::string_view content_type) {
  return lower(trim(content_type.substr(0, content_type.find(';')))) == kIndexType;
}

// 404, 400, 406 and answers of another type: a registry without that API.
bool has_referrers_api(const HttpResponse& response) {
  if (response.status == 404 || response.status == 400 || response.status == 406) return false;
  return response.status != 200 || is_index_type(response.header("Content-Type"));
}

std::string listings_of(const Reference& repository) {
  return fmt::format("/v2/{}/referrers/", repository.repository());
}

// The path of the next page, in the same repository: another place has no say in this one's signatures. The link is
// written where `path` was asked for, where the repository may have another name (OCI_REGISTRIES_FILE).
Result<std::string> next_path(RegistryAccess& access, const Reference& repository, const std::string& path,
                              const std::string& link) {
  const auto names = access.asked_as(repository);
  if (!names) return tl::unexpected(names.error());
  const auto here = listings_of(repository);
  std::string shown;
  for (const auto& name : *names) {
    const auto there = listings_of(name);
    const auto base = parse_url(fmt::format("https://{}{}{}", name.registry(), there, path.substr(here.size())));
    if (!base) return tl::unexpected(base.error());
    const auto next = resolve_url(*base, link);
    const bool climbs = next && next->path.find("/../") != std::string::npos;  // it would be sent as it is
    if (next && next->host == base->host && next->path.starts_with(there) && !climbs)
      return here + next->path.substr(there.size()) + (next->query.empty() ? "" : "?" + next->query);
    shown = base->shown();
  }
  return fail(Kind::invalid, fmt::format("{}: next page is elsewhere", shown));
}

// Nothing: the registry does not have the API.
Result<std::optional<std::vector<Descriptor>>> from_api(RegistryAccess& access, const Reference& repository,
                                                        const Digest& digest, const std::string& artifact_type,
                                                        const Deadline& deadline) {
  Listing listing(artifact_type);
  RegistryAccess::Ask ask{.path = listings_of(repository) + digest.str(),
                          .headers = {{"Accept", kIndexType}},
                          .body_bytes_max = kManifestBytesMax};
  for (int pages = 0; pages < kReferrerPagesMax; ++pages) {
    auto response = access.ask(repository, ask, deadline);
    if (!response) return tl::unexpected(response.error());
    if (pages == 0 && !has_referrers_api(*response)) return std::optional<std::vector<Descriptor>>();
    if (response->status != 200) return tl::unexpected(access.error_of(repository, ask, *response));
    auto document = parse_manifest(response->body, response->header("Content-Type"));
    if (document && !std::holds_alternative<ImageIndex>(*document)) document = fail(Kind::invalid, "not an index");
    if (!document) return while_doing(fmt::format("referrers of {}", digest.str()), document.error());
    if (auto added = listing.add(std::move(std::get<ImageIndex>(*document))); !added)
      return tl::unexpected(added.error());
    const auto link = next_page_of(*response);
    if (!link) return std::optional(listing.take());
    auto next = next_path(access, repository, ask.path, *link);
    if (!next) return tl::unexpected(next.error());
    ask.path = std::move(*next);
  }
  return fail(Kind::invalid, fmt::format("referrers of {} fill more than {} pages", digest.str(), kReferrerPagesMax));
}

Result<std::vector<Descriptor>> from_tag(ManifestClient& manifests, const Reference& repository, const Digest& digest,
                                         const std::string& artifact_type, const Deadline& deadline) {
  const auto tag = fmt::format("{}-{}", digest.algorithm(), digest.hex());
  auto manifest = manifests.by_tag(repository, tag, deadline);
  if (!manifest) return tl::unexpected(manifest.error());
  if (!*manifest) return std::vector<Descriptor>();
  auto document = parse_manifest((*manifest)->bytes, (*manifest)->media_type, kSignatureLayersMax);
  if (!document) return tl::unexpected(document.error());
  auto* index = std::get_if<ImageIndex>(&*document);
  if (!index) return fail(Kind::invalid, fmt::format("referrers at tag {} are not an index", tag));
  Listing listing(artifact_type);
  if (auto added = listing.add(std::move(*index)); !added) return tl::unexpected(added.error());
  return listing.take();
}

}  // namespace

Result<std::vector<Descriptor>> list_referrers(RegistryAccess& access, ManifestClient& manifests,
                                               const Reference& repository, const Digest& digest,
                                               const std::string& artifact_type, const Deadline& deadline) {
  auto listed = from_api(access, repository, digest, artifact_type, deadline);
  if (!listed) return tl::unexpected(listed.error());
  if (*listed) return std::move(**listed);
  return from_tag(manifests, repository, digest, artifact_type, deadline);
}

}  // namespace windlass
