#include "sigstore/bundle_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "sigstore/json_fields.h"
#include "sys/unambiguous_json.h"

namespace windlass {
namespace {

constexpr std::string_view kMediaTypes[] = {"application/vnd.dev.sigstore.bundle.v0.3+json",
                                            "application/vnd.dev.sigstore.bundle+json;version=0.3"};
constexpr std::string_view kOldMediaTypes[] = {"application/vnd.dev.sigstore.bundle+json;version=0.1",
                                               "application/vnd.dev.sigstore.bundle+json;version=0.2"};
constexpr std::size_t kCertificatesMax = 16;

template <std::size_t count>
bool is_one_of(std::string_view text, const std::string_view (&list)[count]) {
  return std::find(std::begin(list), std::end(list), text) != std::end(list);
}

std::optional<Certificate> read_certificate(JsonFields fields) {
  fields.only({"rawBytes"});
  auto certificate = Certificate::parse_der(fields.bytes("rawBytes"));
  if (certificate) return std::move(*certificate);
  fields.refuse("rawBytes", certificate.error().message);
  return std::nullopt;
}

// The leaf. A root in a bundle would look like something to trust: no signer puts one there.
std::optional<Certificate> read_chain(JsonFields fields) {
  fields.only({"certificates"});
  std::optional<Certificate> leaf;
  for (auto& item : fields.objects("certificates", kCertificatesMax)) {
    auto certificate = read_certificate(item);
    if (certificate && certificate->is_self_issued()) item.refuse("rawBytes", "want no root certificate in a bundle");
    if (!leaf) leaf = std::move(certificate);
  }
  if (!leaf) fields.refuse("certificates", "want at least one");
  return leaf;
}

void refuse_duplicates(JsonFields& material, const std::vector<LogEntry>& entries) {
  std::set<std::pair<std::string, std::int64_t>> seen;
  for (const auto& entry : entries)
    if (!seen.emplace(entry.log_id, entry.log_index).second)
      material.refuse("tlogEntries", fmt::format("{} is there twice", name_of(entry)));
}

void read_signer(JsonFields& material, BundleVersions versions, Bundle& bundle) {
  if (material.has("x509CertificateChain") && versions == BundleVersions::current)
    material.refuse("x509CertificateChain", "want a single certificate in its place");
  else if (material.has("x509CertificateChain"))
    bundle.certificate = read_chain(material.object("x509CertificateChain"));
  else if (material.has("certificate"))
    bundle.certificate = read_certificate(material.object("certificate"));
  bundle.has_key = material.has("publicKey");
  material.object("publicKey").only({"hint"});
  const int signers = material.has("x509CertificateChain") + material.has("certificate") + bundle.has_key;
  if (signers != 1) material.refuse("certificate", "want exactly one of certificate and publicKey");
}

void read_material(JsonFields material, BundleVersions versions, Bundle& bundle) {
  material.only({"certificate", "publicKey", "x509CertificateChain", "tlogEntries", "timestampVerificationData"});
  read_signer(material, versions, bundle);
  for (auto& item : material.objects("tlogEntries", Bundle::kLogEntriesMax))
    bundle.log_entries.push_back(read_log_entry(item));
  refuse_duplicates(material, bundle.log_entries);
  auto data = material.object("timestampVerificationData");
  data.only({"rfc3161Timestamps"});
  for (auto& item : data.objects("rfc3161Timestamps", Bundle::kTimestampsMax)) {
    item.only({"signedTimestamp"});
    bundle.timestamps.push_back(item.bytes("signedTimestamp"));
  }
}

Envelope read_envelope(JsonFields fields) {
  fields.only({"payload", "payloadType", "signatures"});
  Envelope envelope{.payload = fields.bytes("payload"), .payload_type = fields.text("payloadType")};
  auto signatures = fields.objects("signatures", 1);
  if (signatures.empty()) {
    fields.refuse("signatures", "want exactly one");
    return envelope;
  }
  signatures.front().only({"sig", "keyid"});
  envelope.signature = signatures.front().bytes("sig");
  return envelope;
}

MessageSignature read_message(JsonFields fields) {
  fields.only({"messageDigest", "signature"});
  auto digest = fields.object("messageDigest");
  digest.only({"algorithm", "digest"});
  if (fields.has("messageDigest") && digest.text("algorithm") != "SHA2_256")
    digest.refuse("algorithm", "want SHA2_256");
  return {.sha256 = digest.bytes("digest"), .signature = fields.bytes("signature")};
}

void read_content(JsonFields& fields, Bundle& bundle) {
  if (fields.has("dsseEnvelope") == fields.has("messageSignature")) {
    fields.refuse("dsseEnvelope", "want exactly one of dsseEnvelope and messageSignature");
    return;
  }
  if (fields.has("dsseEnvelope"))
    bundle.envelope = read_envelope(fields.object("dsseEnvelope"));
  else
    bundle.message = read_message(fields.object("messageSignature"));
}

}  // namespace

Result<Bundle> read_bundle(std::string_view json, BundleVersions versions) {
  if (json.size() > Bundle::kBytesMax)
    return fail(Kind::invalid, fmt::format("want at most {} bytes, got {}", Bundle::kBytesMax, json.size()));
  const auto value = parse_unambiguous_json(json);
  if (!value) return tl::unexpected(value.error());
  JsonFields fields(*value);
  const auto media_type = fields.text("mediaType");
  const bool old = is_one_of(media_type, kOldMediaTypes);
  if (!is_one_of(media_type, kMediaTypes) && !(old && versions == BundleVersions::all))
    fields.refuse("mediaType", fmt::format("want {}, found '{}'", kMediaTypes[0], printable(media_type, 100)));
  fields.only({"mediaType", "verificationMaterial", "dsseEnvelope", "messageSignature"});
  Bundle bundle;
  read_material(fields.object("verificationMaterial"), old ? BundleVersions::all : BundleVersions::current, bundle);
  read_content(fields, bundle);
  if (const auto status = fields.status(); !status) return tl::unexpected(status.error());
  return bundle;
}

}  // namespace windlass
