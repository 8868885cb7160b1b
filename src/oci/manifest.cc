#include "oci/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/text.h"
#include "sys/crypto.h"
#include "sys/unambiguous_json.h"

namespace windlass {

const char* const kManifestAccept =
    "application/vnd.docker.distribution.manifest.v2+json,application/vnd.oci.image.manifest.v1+json,"
    "application/vnd.docker.distribution.manifest.list.v2+json,application/vnd.oci.image.index.v1+json";

namespace {

constexpr std::string_view kManifests[] = {kManifestMediaType, "application/vnd.docker.distribution.manifest.v2+json"};
constexpr std::string_view kIndexes[] = {kIndexType, "application/vnd.docker.distribution.manifest.list.v2+json"};
constexpr std::string_view kComposeType = "application/vnd.docker.compose.project";

bool is_one_of(std::string_view type, const std::string_view (&types)[2]) {
  return std::find(std::begin(types), std::end(types), type) != std::end(types);
}

std::string without_parameters(std::string_view content_type) {
  return lower(trim(content_type.substr(0, content_type.find(';'))));
}

Result<Descriptor> parse_descriptor(const json::value& value, std::string_view name) {
  const auto refuse = [&](std::string_view rule) { return fail(Kind::invalid, fmt::format("{} {}", name, rule)); };
  const auto* object = value.if_object();
  if (!object) return refuse("must be an object");
  auto digest = Digest::parse(text_of(*object, "digest"));
  if (!digest) return refuse("digest " + digest.error().message);
  const auto* size = object->if_contains("size");
  if (!size || !size->is_int64() || size->get_int64() < 0) return refuse("size must be a number of bytes");
  if (const auto* urls = array_of(*object, "urls"); urls && !urls->empty())
    return refuse("has foreign urls, which are never contacted");

  Descriptor descriptor{.media_type = std::string(text_of(*object, "mediaType")),
                        .digest = *digest,
                        .size_bytes = static_cast<std::uint64_t>(size->get_int64()),
                        .artifact_type = std::string(text_of(*object, "artifactType"))};
  if (const auto* annotations = object_of(*object, "annotations"))
    for (const auto& [key, text] : *annotations)
      if (text.is_string()) descriptor.annotations.emplace(key, text.get_string());
  if (const auto* platform = object_of(*object, "platform"))
    descriptor.platform =
        Platform{std::string(text_of(*platform, "os")), std::string(text_of(*platform, "architecture"))};
  if (object->contains("data")) {
    descriptor.data = base64_decode(text_of(*object, "data"));
    if (!descriptor.data) return refuse("data is not base64");
  }
  return descriptor;
}

Result<std::vector<Descriptor>> parse_descriptors(const json::array& values, std::string_view name) {
  std::vector<Descriptor> descriptors;
  descriptors.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto descriptor = parse_descriptor(values[i], fmt::format("{} {}", name, i + 1));
    if (!descriptor) return tl::unexpected(descriptor.error());
    descriptors.push_back(std::move(*descriptor));
  }
  return descriptors;
}

Result<ManifestDocument> parse_image_manifest(const json::object& document, std::string media_type,
                                              std::size_t layers_max) {
  const auto* layers = array_of(document, "layers");
  if (!layers || layers->empty()) return fail(Kind::invalid, "invalid OCI artifact layout: no layers in artifact");
  if (layers->size() > layers_max)
    return fail(Kind::invalid, fmt::format("manifest has {} layers, at most {} are taken", layers->size(), layers_max));
  auto descriptors = parse_descriptors(*layers, "layer");
  if (!descriptors) return tl::unexpected(descriptors.error());
  std::string artifact_type(text_of(document, "artifactType"));
  if (const auto* config = object_of(document, "config"); config && artifact_type.empty())
    artifact_type = text_of(*config, "mediaType");
  return ImageManifest{std::move(media_type), std::move(artifact_type), std::move(*descriptors)};
}

Result<ManifestDocument> parse_index(const json::object& document, std::string media_type) {
  const auto* children = array_of(document, "manifests");
  if (!children) return fail(Kind::invalid, "index has no manifests");
  auto descriptors = parse_descriptors(*children, "child");
  if (!descriptors) return tl::unexpected(descriptors.error());
  return ImageIndex{std::move(media_type), std::move(*descriptors)};
}

}  // namespace

Result<ManifestDocument> parse_manifest(std::string_view bytes, std::string_view content_type, std::size_t layers_max) {
  auto value = parse_unambiguous_json(bytes);
  if (!value) return while_doing("reading the manifest", value.error());
  const auto* document = value->if_object();
  if (!document) return fail(Kind::invalid, "manifest is not a JSON object");

  const auto* version = document->if_contains("schemaVersion");
  if (!version || !version->is_int64() || version->get_int64() != 2)
    return fail(Kind::invalid, "manifest must have schemaVersion 2; push it again with a current client");
  const bool looks_like_index = document->contains("manifests");
  if (looks_like_index && (document->contains("layers") || document->contains("config")))
    return fail(Kind::invalid, "document is manifest and index at once");

  const std::string own_type(text_of(*document, "mediaType"));
  const auto header_type = without_parameters(content_type);
  if (!own_type.empty() && !header_type.empty() && own_type != header_type)
    return fail(Kind::invalid, fmt::format("mediaType '{}' differs from the Content-Type '{}'",
                                           printable(own_type, 128), printable(header_type, 128)));
  auto type = own_type.empty() ? header_type : own_type;
  if (type.empty()) type = looks_like_index ? kIndexes[0] : kManifests[0];
  if (is_one_of(type, kIndexes)) return parse_index(*document, std::move(type));
  if (is_one_of(type, kManifests)) return parse_image_manifest(*document, std::move(type), layers_max);
  return fail(Kind::invalid, fmt::format("unknown manifest type '{}'", printable(type, 128)));
}

Result<Descriptor> choose_child(const ImageIndex& index, const Platform& host) {
  using Test = std::function<bool(const Descriptor&)>;
  const auto matching = [&](const Test& test) {
    std::vector<const Descriptor*> found;
    for (const auto& child : index.children)
      if (test(child)) found.push_back(&child);
    return found;
  };
  const Platform first_choice{"linux", "amd64"};
  const auto amd64 = matching([&](const auto& child) { return child.platform.value_or(first_choice) == first_choice; });
  if (!amd64.empty()) return *amd64.front();
  const auto compose = matching([](const auto& child) { return child.artifact_type == kComposeType; });
  if (compose.size() == 1) return *compose.front();
  const auto ours = matching([&](const auto& child) { return child.platform == host; });
  if (!ours.empty()) return *ours.front();
  const auto known = matching([](const auto& child) { return child.platform != Platform{"unknown", "unknown"}; });
  if (known.size() == 1) return *known.front();
  return fail(Kind::invalid, "no child with platform linux/amd64 in the index");
}

Platform host_platform() {
#if defined(__aarch64__)
  return {"linux", "arm64"};
#elif defined(__arm__)
  return {"linux", "arm"};
#elif defined(__riscv)
  return {"linux", "riscv64"};
#else
  return {"linux", "amd64"};
#endif
}

}  // namespace windlass
