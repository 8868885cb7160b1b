#include "oci/signature_candidates.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "oci/referrer_choice.h"
#include "sys/crypto.h"

namespace windlass {
namespace {

constexpr std::string_view kSignatureType = "application/vnd.dev.cosign.artifact.sig.v1+json";
constexpr std::string_view kBundleType = "application/vnd.dev.sigstore.bundle";  // what follows says the version
constexpr std::string_view kEmptyType = "application/vnd.oci.empty.v1+json";
constexpr auto kMax = SignatureCandidates::kMax;

using Candidates = std::vector<SignatureCandidate>;  // newest first

struct Place {
  ReferrerChoice listed;
  std::vector<ReferrerChoice::Listed> chosen;  // of these
  std::uint64_t bytes_left = SignatureCandidates::kManifestBytesMax;
  std::vector<Candidates> manifests;
};

// All that decides what a candidate is worth. Two signatures of one payload differ in their annotations alone; and the
// digest of a good one, listed with a size or data that are not its own, must not pass for it.
std::string identity_of(const SignatureCandidate& candidate) {
  const auto& blob = candidate.blob;
  std::string text;
  const auto add = [&](std::string_view part) { text += fmt::format("{}:{}", part.size(), part); };
  add(blob.digest.str());
  add(blob.media_type);
  add(blob.data ? "+" + *blob.data : "");
  text += std::to_string(blob.size_bytes);
  if (candidate.form == SignatureCandidate::Form::simple) {
    text += " simple";
    for (const auto& [name, value] : blob.annotations) {
      add(name);
      add(value);
    }
  }
  return sha256_hex(text);
}

// Until the rest fits; of equal ones the oldest first. Gives how many were left out.
template <class T, class SizeOf>
std::size_t leave_out_largest(std::vector<T>& list, std::uint64_t bytes_max, const SizeOf& size_of) {
  const auto count = list.size();
  std::erase_if(list, [&](const T& each) { return size_of(each) > bytes_max; });
  std::uint64_t bytes = 0;
  for (const auto& each : list) bytes += size_of(each);
  while (bytes > bytes_max) {
    const auto largest =
        std::max_element(list.rbegin(), list.rend(), [&](const T& a, const T& b) { return size_of(a) < size_of(b); });
    bytes -= size_of(*largest);
    list.erase(std::prev(largest.base()));
  }
  return count - list.size();
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
    const auto tag = signature_tag(digest_);
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

  // Null: other things refer to an artifact too, its SBOM for instance. Some clients list a referrer by the type of its
  // empty config, or by none: only its manifest tells.
  Place* place_of(const Descriptor& referrer) {
    const auto& type = referrer.artifact_type;
    if (type == kSignatureType) return &signatures_;
    if (type.starts_with(kBundleType)) return &bundles_;
    return type.empty() || type == kEmptyType ? &untold_ : nullptr;
  }

  void look_at_referrers() {
    const auto see = [this](const Descriptor& referrer) {
      if (auto* place = place_of(referrer)) place->listed.add(referrer);
    };
    if (auto listed = registry_.referrers(repository_, digest_, see, deadline_); !listed)
      could_not("referrers", listed.error());  // what was listed before may hold a good one
    Place* const places[] = {&bundles_, &signatures_, &untold_};
    for (auto* place : places) choose(*place);
    for (std::size_t i = 0; i < kMax; ++i)
      for (auto* place : places)
        if (i < place->chosen.size()) look_at_referrer(*place, place->chosen[i].digest);
  }

  void choose(Place& place) {
    place.chosen = place.listed.take(kMax);
    found_.left_out += place.listed.added() - place.chosen.size();
    found_.left_out +=
        leave_out_largest(place.chosen, place.bytes_left, [](const auto& one) { return one.size_bytes; });
  }

  void look_at_referrer(Place& place, const Digest& digest) {
    if (place.bytes_left == 0) {  // manifests were larger than the list said
      ++found_.left_out;
      return;
    }
    const auto where = "referrer " + digest.str();
    auto manifest = registry_.manifest(repository_, digest, deadline_);
    if (!manifest) return could_not(where, manifest.error());
    if (!*manifest) return;  // deleted since it was listed
    place.bytes_left -= std::min<std::uint64_t>(place.bytes_left, (*manifest)->bytes.size());
    auto document = parse_manifest((*manifest)->bytes, (*manifest)->media_type, kSignatureLayersMax);
    if (!document) return could_not(where, document.error());
    const auto* image = std::get_if<ImageManifest>(&*document);
    if (!image) return;
    if (image->artifact_type == kSignatureType)
      add_layers(place, where, *image);
    else if (image->layers.size() == 1 && image->layers[0].media_type.starts_with(kBundleType))
      place.manifests.push_back({{SignatureCandidate::Form::bundle, where, image->layers[0]}});
  }

  // cosign appends each new signature.
  void add_layers(Place& place, const std::string& where, const ImageManifest& image) {
    Candidates newest;
    for (auto layer = image.layers.rbegin(); layer != image.layers.rend(); ++layer)
      if (newest.size() < kMax)
        newest.push_back({SignatureCandidate::Form::simple, where, *layer});
      else
        ++found_.left_out;
    place.manifests.push_back(std::move(newest));
  }

  // One of each manifest first: each may have as many as all the others.
  Candidates candidates_of(Place& place) {
    Candidates list;
    std::set<std::string> seen;
    for (std::size_t i = 0; i < kMax; ++i)
      for (auto& manifest : place.manifests) {
        if (i >= manifest.size() || !seen.insert(identity_of(manifest[i])).second) continue;
        if (list.size() < kMax)
          list.push_back(std::move(manifest[i]));
        else
          ++found_.left_out;
      }
    found_.left_out += leave_out_largest(list, SignatureCandidates::kSignatureBytesMax,
                                         [](const auto& candidate) { return candidate.blob.size_bytes; });
    return list;
  }

  void take_in_turn() {
    Candidates lists[] = {candidates_of(bundles_), candidates_of(signatures_), candidates_of(untold_),
                          candidates_of(classic_)};
    std::set<std::string> seen;
    for (std::size_t i = 0; i < kMax; ++i)
      for (auto& list : lists)
        if (i < list.size() && seen.insert(identity_of(list[i])).second) found_.list.push_back(std::move(list[i]));
  }

  void could_not(const std::string& place, const Error& cause) {
    found_.unread.push_back(while_doing("looking for signatures at " + place, cause).value());
  }

  Registry& registry_;
  const Reference& repository_;
  const Digest& digest_;
  const Deadline& deadline_;
  Place bundles_, signatures_, untold_;  // referrers, as they are listed
  Place classic_;
  SignatureCandidates found_;
};

}  // namespace

std::string signature_tag(const Digest& digest) { return fmt::format("{}-{}.sig", digest.algorithm(), digest.hex()); }

SignatureCandidates collect_signatures(Registry& registry, const Reference& repository, const Digest& digest,
                                       const Deadline& deadline) {
  return Collector(registry, repository, digest, deadline).collect();
}

}  // namespace windlass
