#include "oci/signature_candidates.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace windlass {
namespace {

constexpr std::string_view kSignatureType = "application/vnd.dev.cosign.artifact.sig.v1+json";
constexpr std::string_view kBundleType = "application/vnd.dev.sigstore.bundle";  // what follows says the version
constexpr std::string_view kEmptyType = "application/vnd.oci.empty.v1+json";
constexpr const char* kCreated = "org.opencontainers.image.created";

using Place = std::vector<SignatureCandidate>;  // newest first

// Some clients list a referrer by the type of its empty config, or by none: only its manifest tells.
bool may_be_signature(const Descriptor& referrer) {
  const auto& type = referrer.artifact_type;
  return type.empty() || type == kEmptyType || type == kSignatureType || type.starts_with(kBundleType);
}

std::string created(const Descriptor& descriptor) {
  const auto found = descriptor.annotations.find(kCreated);
  return found == descriptor.annotations.end() ? "" : found->second;
}

// Two signatures of one payload differ in their annotations alone.
std::string identity_of(const SignatureCandidate& candidate) {
  auto text = candidate.blob.digest.str();
  if (candidate.form == SignatureCandidate::Form::simple)
    for (const auto& [name, value] : candidate.blob.annotations) text += fmt::format("\n{}={}", name, value);
  return text;
}

class Collector {
 public:
  Collector(Registry& registry, const Reference& repository, const Digest& digest, const Deadline& deadline)
      : registry_(registry), repository_(repository), digest_(digest), deadline_(deadline) {}

  SignatureCandidates collect() {
    look_at_tag();
    look_at_referrers();
    take_in_turn();
    return std::move(found_);
  }

 private:
  void look_at_tag() {
    const auto tag = fmt::format("{}-{}.sig", digest_.algorithm(), digest_.hex());
    const auto place = "tag " + tag;
    auto manifest = registry_.manifest_at_tag(repository_, tag, deadline_);
    if (!manifest) return could_not(place, manifest.error());
    if (!*manifest) return;
    auto document = parse_manifest((*manifest)->bytes, (*manifest)->media_type, kSignatureLayersMax);
    if (!document) return could_not(place, document.error());
    const auto* image = std::get_if<ImageManifest>(&*document);
    if (!image) return could_not(place, Error{Kind::invalid, "an index where a manifest of signatures belongs"});
    add_layers(classic_, place, *image);
  }

  void look_at_referrers() {
    auto referrers = registry_.referrers(repository_, digest_, "", deadline_);
    if (!referrers) return could_not("referrers", referrers.error());
    std::reverse(referrers->begin(), referrers->end());  // registries and clients append
    std::stable_sort(referrers->begin(), referrers->end(),
                     [](const auto& a, const auto& b) { return created(a) > created(b); });
    for (const auto& referrer : *referrers) {
      if (!may_be_signature(referrer)) continue;
      if (signatures_.size() + bundles_.size() >= SignatureCandidates::kMax)
        ++found_.left_out;
      else
        look_at_referrer(referrer);
    }
  }

  void look_at_referrer(const Descriptor& referrer) {
    const auto place = "referrer " + referrer.digest.str();
    auto manifest = registry_.manifest(repository_, referrer.digest, deadline_);
    if (!manifest) return could_not(place, manifest.error());
    if (!*manifest) return;  // deleted since it was listed
    auto document = parse_manifest((*manifest)->bytes, (*manifest)->media_type, kSignatureLayersMax);
    if (!document) return could_not(place, document.error());
    const auto* image = std::get_if<ImageManifest>(&*document);
    if (!image) return;
    if (image->artifact_type == kSignatureType)
      add_layers(signatures_, place, *image);
    else if (image->layers.size() == 1 && image->layers[0].media_type.starts_with(kBundleType))
      bundles_.push_back({SignatureCandidate::Form::bundle, place, image->layers[0]});
  }

  // cosign appends each new signature.
  static void add_layers(Place& list, const std::string& place, const ImageManifest& image) {
    for (auto layer = image.layers.rbegin(); layer != image.layers.rend(); ++layer)
      list.push_back({SignatureCandidate::Form::simple, place, *layer});
  }

  void take_in_turn() {
    std::set<std::string> seen;
    for (std::size_t i = 0; i < std::max({bundles_.size(), signatures_.size(), classic_.size()}); ++i) {
      for (auto* place : {&bundles_, &signatures_, &classic_}) {
        if (i >= place->size() || !seen.insert(identity_of((*place)[i])).second) continue;
        if (found_.list.size() < SignatureCandidates::kMax)
          found_.list.push_back(std::move((*place)[i]));
        else
          ++found_.left_out;
      }
    }
  }

  void could_not(const std::string& place, const Error& cause) {
    found_.unread.push_back(while_doing("looking for signatures at " + place, cause).value());
  }

  Registry& registry_;
  const Reference& repository_;
  const Digest& digest_;
  const Deadline& deadline_;
  Place classic_, signatures_, bundles_;
  SignatureCandidates found_;
};

}  // namespace

SignatureCandidates collect_signatures(Registry& registry, const Reference& repository, const Digest& digest,
                                       const Deadline& deadline) {
  return Collector(registry, repository, digest, deadline).collect();
}

}  // namespace windlass
