// For tests: a repository in memory that signatures are pushed to, in every place they may lie in.
#pragma once

#include <fmt/format.h>

#include <map>
#include <mutex>

#include "oci/registry.h"
#include "sigstore/key_fixture.h"
#include "sigstore/simple_signing.h"
#include "sys/crypto.h"
#include "sys/json.h"

namespace windlass {

inline Digest digest_of_text(std::string_view bytes) { return Digest::of_sha256_hex(sha256_hex(bytes)); }

inline const std::string kCosignSignatures = "application/vnd.dev.cosign.artifact.sig.v1+json";
inline const std::string kBundleV3 = "application/vnd.dev.sigstore.bundle.v0.3+json";

// One layer with a signature: the blob and its annotations.
struct SignatureLayer {
  std::string bytes;
  std::string media_type = std::string(kSimpleSigningMediaType);
  std::map<std::string, std::string> annotations;
  std::size_t more_bytes = 0;  // that the descriptor promises and the blob has not
};

// What cosign makes of `digest` with a key.
inline SignatureLayer signature_by(const TestKey& key, const Digest& digest) {
  SignatureLayer layer{.bytes = simple_signing_payload("r.example/app", digest)};
  layer.annotations[std::string(kSignatureAnnotation)] = base64_encode(key.sign(layer.bytes));
  return layer;
}

// A bundle without a log entry: a DSSE envelope about `digest`, signed with a key.
inline SignatureLayer bundle_by(const TestKey& key, const Digest& digest) {
  const std::string type = "application/vnd.in-toto+json";
  const auto statement =
      fmt::format(R"({{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{}"}}}}],)"
                  R"("predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{{}}}})",
                  digest.hex());
  const auto signed_bytes = fmt::format("DSSEv1 {} {} {} {}", type.size(), type, statement.size(), statement);
  return {
      .bytes = fmt::format(
          R"({{"mediaType":"{}","verificationMaterial":{{"publicKey":{{"hint":""}}}},"dsseEnvelope":{{"payload":"{}",)"
          R"("payloadType":"{}","signatures":[{{"sig":"{}"}}]}}}})",
          kBundleV3, base64_encode(statement), type, base64_encode(key.sign(signed_bytes))),
      .media_type = kBundleV3};
}

struct SignatureRegistry final : Registry {
  void use(std::vector<RegistryRule>) override {}
  std::optional<std::chrono::seconds> left_alone_for(const Reference&) override { return std::nullopt; }
  std::map<std::string, std::string> tags;       // tag -> manifest
  std::map<std::string, std::string> manifests;  // digest -> manifest
  std::map<std::string, std::string> blobs;      // digest -> bytes
  std::vector<Descriptor> referring;             // in the registry's order
  std::map<std::string, Error> faults;  // what is asked, a tag, "referrers" or a digest -> why it cannot be had
  std::mutex mutex;
  std::vector<std::string> asked;  // tags, "referrers" and digests in order

  void push_classic(const Digest& digest, const std::vector<SignatureLayer>& layers) {
    tags["sha256-" + std::string(digest.hex()) + ".sig"] = manifest_of(layers, "");
  }
  // `listed_as`: the type in the registry's list, where it differs from the manifest's own.
  Digest push_referrer(const std::string& type, const std::vector<SignatureLayer>& layers,
                       const std::string& created = "", std::optional<std::string> listed_as = std::nullopt) {
    const auto manifest = manifest_of(layers, type);
    const auto digest = digest_of_text(manifest);
    manifests[digest.str()] = manifest;
    Descriptor descriptor{.media_type = "application/vnd.oci.image.manifest.v1+json",
                          .digest = digest,
                          .size_bytes = manifest.size(),
                          .artifact_type = listed_as.value_or(type)};
    if (!created.empty()) descriptor.annotations["org.opencontainers.image.created"] = created;
    referring.push_back(std::move(descriptor));
    return digest;
  }

  Result<std::optional<Digest>> tag_digest(const Reference&, const Deadline&) override {
    return std::optional<Digest>();
  }
  Result<TagLook> look_at_tag(const Reference&, const std::optional<TagView>&, const Deadline&) override {
    return TagLook{};
  }
  Result<std::optional<ManifestBytes>> manifest(const Reference&, const Digest& digest, const Deadline&) override {
    return found_in(manifests, digest.str());
  }
  Result<std::optional<ManifestBytes>> present_manifest(const Reference&, const Digest& digest,
                                                        const Deadline&) override {
    return found_in(manifests, digest.str());
  }
  Result<std::optional<ManifestBytes>> manifest_at_tag(const Reference&, const std::string& tag,
                                                       const Deadline&) override {
    return found_in(tags, tag);
  }
  // A fault comes when all have been told.
  Status referrers(const Reference&, const Digest&, const SeeReferrer& see, const Deadline&) override {
    const auto fault = fault_of("referrers");
    for (const auto& each : referring) see(each);
    return fault ? tl::unexpected(*fault) : Status();
  }
  Result<std::string> blob(const Reference&, const Descriptor& blob, std::uint64_t bytes_max,
                           const Deadline&) override {
    if (auto fault = fault_of(blob.digest.str())) return tl::unexpected(*fault);
    if (blob.size_bytes > bytes_max) return fail(Kind::invalid, "blob is too large");
    return blobs.at(blob.digest.str());
  }
  Result<bool> is_child_of(const Reference&, const Digest&, const Digest&, const Deadline&) override { return false; }
  Result<FetchedArtifact> fetch(const Reference&, const Digest&, const Deadline&) override {
    return fail(Kind::not_found, "no artifact here");
  }

 private:
  std::string manifest_of(const std::vector<SignatureLayer>& layers, const std::string& type) {
    json::array list;
    for (const auto& layer : layers) {
      const auto digest = digest_of_text(layer.bytes);
      blobs[digest.str()] = layer.bytes;
      list.push_back(json::object{{"mediaType", layer.media_type},
                                  {"digest", digest.str()},
                                  {"size", layer.bytes.size() + layer.more_bytes},
                                  {"annotations", json::value_from(layer.annotations)}});
    }
    json::object manifest{
        {"schemaVersion", 2}, {"mediaType", "application/vnd.oci.image.manifest.v1+json"}, {"layers", std::move(list)}};
    if (!type.empty()) manifest["artifactType"] = type;
    return json::serialize(manifest);
  }
  std::optional<Error> fault_of(const std::string& what) {
    const std::lock_guard lock(mutex);
    asked.push_back(what);
    const auto fault = faults.find(what);
    return fault == faults.end() ? std::nullopt : std::optional(fault->second);
  }
  Result<std::optional<ManifestBytes>> found_in(const std::map<std::string, std::string>& kept,
                                                const std::string& key) {
    if (auto fault = fault_of(key)) return tl::unexpected(*fault);
    const auto found = kept.find(key);
    if (found == kept.end()) return std::optional<ManifestBytes>();
    return std::optional(ManifestBytes{digest_of_text(found->second), "", found->second});
  }
};

}  // namespace windlass
