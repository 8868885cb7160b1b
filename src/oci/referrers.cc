#include "oci/referrers.h"

#include <fmt/format.h>

#include "base/text.h"
#include "oci/link_header.h"
#include "oci/registry_answer.h"
#include "sys/url.h"

namespace windlass {
namespace {

bool is_index_type(std::string_view content_type) {
  return lower(trim(content_type.substr(0, content_type.find(';')))) == kIndexType;
}

// 404, 400, 406 and answers of another type: a registry without that API. So is GHCR, which at times answers with a
// redirect to pages of github.com; those give 404, or 429 for hours.
bool has_referrers_api(const HttpResponse& response) {
  if (response.status == 404 || response.status == 400 || response.status == 406) return false;
  if (is_redirect(response.status)) return false;
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

// False: the registry does not have the API.
Result<bool> from_api(RegistryAccess& access, const Reference& repository, const Digest& digest, const SeeReferrer& see,
                      const Deadline& deadline) {
  RegistryAccess::Ask ask{.path = listings_of(repository) + digest.str(),
                          .headers = {{"Accept", kIndexType}},
                          .stays_in_api = true,
                          .body_bytes_max = kManifestBytesMax};
  for (int pages = 0; pages < kReferrerPagesMax; ++pages) {
    auto response = access.ask(repository, ask, deadline);
    if (!response) return tl::unexpected(response.error());
    if (pages == 0 && !has_referrers_api(*response)) return false;
    if (response->status != 200) return tl::unexpected(access.error_of(repository, ask, *response));
    auto document = parse_manifest(response->body, response->header("Content-Type"));
    if (document && !std::holds_alternative<ImageIndex>(*document)) document = fail(Kind::invalid, "not an index");
    if (!document) return while_doing(fmt::format("referrers of {}", digest.str()), document.error());
    for (const auto& child : std::get<ImageIndex>(*document).children) see(child);
    const auto link = next_page_of(*response);
    if (!link) return true;
    auto next = next_path(access, repository, ask.path, *link);
    if (!next) return tl::unexpected(next.error());
    ask.path = std::move(*next);
  }
  return fail(Kind::invalid, fmt::format("referrers of {} fill more than {} pages", digest.str(), kReferrerPagesMax));
}

Status from_tag(ManifestClient& manifests, const Reference& repository, const Digest& digest, const SeeReferrer& see,
                const Deadline& deadline) {
  const auto tag = fmt::format("{}-{}", digest.algorithm(), digest.hex());
  auto manifest = manifests.by_tag(repository, tag, deadline);
  if (!manifest) return tl::unexpected(manifest.error());
  if (!*manifest) return {};
  auto document = parse_manifest((*manifest)->bytes, (*manifest)->media_type, kSignatureLayersMax);
  if (!document) return tl::unexpected(document.error());
  const auto* index = std::get_if<ImageIndex>(&*document);
  if (!index) return fail(Kind::invalid, fmt::format("referrers at tag {} are not an index", tag));
  for (const auto& child : index->children) see(child);
  return {};
}

}  // namespace

Status list_referrers(RegistryAccess& access, ManifestClient& manifests, const Reference& repository,
                      const Digest& digest, const SeeReferrer& see, const Deadline& deadline) {
  const auto has_api = from_api(access, repository, digest, see, deadline);
  if (!has_api) return tl::unexpected(has_api.error());
  return *has_api ? Status() : from_tag(manifests, repository, digest, see, deadline);
}

}  // namespace windlass
