#include "webhook/oci_payload.h"

#include <fmt/format.h>

#include <optional>

#include "base/text.h"
#include "webhook/payload_fields.h"

namespace windlass {
namespace {

using Fault = tl::unexpected<PayloadFault>;

Fault invalid_field(std::string_view name, std::string content) {
  return Fault({fmt::format("invalid field: {}", name), std::move(content)});
}

}  // namespace

tl::expected<OciPayload, PayloadFault> parse_oci_payload(std::string_view body) {
  const auto fields = read_payload_fields(body);
  if (!fields) return Fault({"failed to parse payload", fields.error().message});
  const auto& [source, digest, artifact] = *fields;

  if (trim(source.text) != "oci") return invalid_field("source", R"(must be "oci")");  // V1, V2

  if (artifact.kind == PayloadField::Kind::not_text) return invalid_field("artifact", "must be a string");
  const auto artifact_text = trim(artifact.text);
  if (artifact_text.empty()) return invalid_field("artifact", "is required");  // V9
  auto reference = Reference::parse(artifact_text);
  if (!reference)  // V10, V11
    return invalid_field("artifact", fmt::format("not a valid OCI reference: {}", reference.error().message));

  if (digest.kind == PayloadField::Kind::not_text) return invalid_field("digest", "must be a string");
  auto parsed = Digest::parse(trim(digest.text));  // V3 to V8
  if (!parsed) return invalid_field("digest", parsed.error().message);
  if (reference->digest() && *reference->digest() != *parsed)  // V12
    return invalid_field("digest", R"(differs from the digest in "artifact")");
  return OciPayload{std::string(artifact_text), std::move(*reference), std::move(*parsed)};
}

}  // namespace windlass
