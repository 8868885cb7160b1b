#include "oci/push_signature.h"

#include <fmt/format.h>

#include "oci/push_manifest.h"
#include "oci/signature_candidates.h"
#include "sigstore/simple_signing.h"
#include "sys/crypto.h"
#include "sys/unambiguous_json.h"

namespace windlass {
namespace {

// The layers of what is at the signature tag: one for each signature.
Result<json::array> signatures_in(const std::string& manifest) {
  const auto value = parse_unambiguous_json(manifest);
  if (!value) return tl::unexpected(value.error());
  const auto* object = value->if_object();
  const auto* layers = object ? array_of(*object, "layers") : nullptr;
  if (layers == nullptr) return fail(Kind::invalid, "is no manifest of signatures");
  return *layers;
}

bool holds_one_by(const PublicKey& key, const json::array& layers, const std::string& payload) {
  const auto digest = Digest::of_sha256_hex(sha256_hex(payload)).str();
  for (const auto& layer : layers) {
    const auto* object = layer.if_object();
    const auto* annotations = object != nullptr ? object_of(*object, "annotations") : nullptr;
    if (annotations == nullptr || text_of(*object, "digest") != digest) continue;
    const auto signature = base64_decode(text_of(*annotations, kSignatureAnnotation));
    if (signature && key.verifies(payload, *signature, SignedForm::simple_payload)) return true;
  }
  return false;
}

json::object signature_layer(const std::string& payload, const std::string& signature) {
  auto layer = descriptor_json(kSimpleSigningMediaType, Digest::of_sha256_hex(sha256_hex(payload)), payload.size());
  layer["annotations"] = json::object{{kSignatureAnnotation, base64_encode(signature)}};
  return layer;
}

// As cosign has it: the config of an image whose layers are the payloads.
std::string config_of(const json::array& layers) {
  json::array diff_ids;
  for (const auto& layer : layers)
    if (layer.is_object()) diff_ids.emplace_back(text_of(layer.get_object(), "digest"));
  return canonical_json(json::object{
      {"architecture", ""},
      {"config", json::object()},
      {"os", ""},
      {"rootfs", json::object{{"diff_ids", std::move(diff_ids)}, {"type", "layers"}}},
  });
}

}  // namespace

Status push_signature(Pusher& pusher, const Reference& repository, const Digest& digest, const SigningKey& key,
                      const Deadline& deadline) {
  const auto tag = signature_tag(digest);
  const auto payload = simple_signing_payload(repository.source_id(), digest);
  const auto present = pusher.manifest(repository, tag, deadline);
  if (!present) return tl::unexpected(present.error());
  auto layers = *present ? signatures_in(**present) : Result<json::array>(json::array());
  if (!layers) return while_doing(fmt::format("{}:{}", repository.source_id(), tag), layers.error());
  if (holds_one_by(key.public_key(), *layers, payload)) return {};

  const auto signature = key.sign(payload);
  if (!signature) return while_doing("signing", signature.error());
  layers->push_back(signature_layer(payload, *signature));
  const auto config = config_of(*layers);
  for (const auto& bytes : {payload, config})
    if (auto pushed = pusher.push_blob(
            repository, blob_of(bytes), [](auto) {}, deadline);
        !pushed)
      return tl::unexpected(pushed.error());
  const auto put = pusher.push_manifest(repository, tag, kManifestMediaType,
                                        image_manifest(config, std::move(*layers), {}), deadline);
  return put ? Status() : tl::unexpected(put.error());
}

}  // namespace windlass
