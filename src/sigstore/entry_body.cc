#include "sigstore/entry_body.h"

#include <fmt/format.h>

#include "base/text.h"
#include "sigstore/base64_field.h"
#include "sigstore/openssl.h"
#include "sigstore/pem.h"
#include "sys/crypto.h"
#include "sys/unambiguous_json.h"

namespace windlass {
namespace {

// What an entry says, whatever its kind.
struct Logged {
  std::string signature;  // raw bytes
  std::string verifier;   // DER of a public key or certificate
  std::string hash;       // raw bytes
  const EVP_MD* algorithm = nullptr;
  bool of_payload = false;  // the hash is of an envelope's payload, not of the signed bytes
};

// The DER inside base64 of PEM, as Rekor v1 keeps keys and certificates.
std::string der_of_pem(JsonFields& fields, std::string_view key) {
  const auto blocks = read_pem(fields.bytes(key), 1);
  if (blocks) return blocks->front().der;
  fields.refuse(key, blocks.error().message);
  return "";
}

struct HashName {
  std::string_view v1, v2;
  const EVP_MD* (*algorithm)();
};
// The longer ones go with signatures of P-384 and P-521.
constexpr HashName kHashes[] = {
    {"sha256", "SHA2_256", EVP_sha256}, {"sha384", "SHA2_384", EVP_sha384}, {"sha512", "SHA2_512", EVP_sha512}};

const EVP_MD* algorithm_of(JsonFields& fields) {
  const auto name = fields.text("algorithm");
  for (const auto& hash : kHashes)
    if (name == hash.v1 || name == hash.v2) return hash.algorithm();
  fields.refuse("algorithm", "want SHA-256, SHA-384 or SHA-512");
  return EVP_sha256();
}

// {"algorithm":"sha256","value":"<hex>"}
void read_hash_v1(JsonFields fields, Logged& logged) {
  logged.algorithm = algorithm_of(fields);
  const auto hash = from_hex(fields.text("value"));
  if (!hash) fields.refuse("value", "want hexadecimal text");
  logged.hash = hash.value_or("");
}

// {"algorithm":"SHA2_256","digest":"<base64>"}
void read_hash_v2(JsonFields fields, Logged& logged) {
  logged.algorithm = algorithm_of(fields);
  logged.hash = fields.bytes("digest");
}

std::string verifier_v2(JsonFields fields) {
  return fields.has("x509Certificate") ? fields.object("x509Certificate").bytes("rawBytes")
                                       : fields.object("publicKey").bytes("rawBytes");
}

JsonFields only_signature(JsonFields& fields) {
  auto signatures = fields.objects("signatures", 1);
  if (!signatures.empty()) return signatures.front();
  fields.refuse("signatures", "want one");
  return fields;
}

Logged read_hashedrekord_1(JsonFields spec) {
  auto signature = spec.object("signature"), key = signature.object("publicKey");
  Logged logged{.signature = signature.bytes("content"), .verifier = der_of_pem(key, "content")};
  read_hash_v1(spec.object("data").object("hash"), logged);
  return logged;
}

Logged read_hashedrekord_2(JsonFields spec) {
  auto record = spec.object("hashedRekordV002"), signature = record.object("signature");
  Logged logged{.signature = signature.bytes("content"), .verifier = verifier_v2(signature.object("verifier"))};
  read_hash_v2(record.object("data"), logged);
  return logged;
}

Logged read_dsse_1(JsonFields spec) {
  auto signature = only_signature(spec);
  Logged logged{
      .signature = signature.bytes("signature"), .verifier = der_of_pem(signature, "verifier"), .of_payload = true};
  read_hash_v1(spec.object("payloadHash"), logged);
  return logged;
}

Logged read_dsse_2(JsonFields spec) {
  auto record = spec.object("dsseV002"), signature = only_signature(record);
  Logged logged{.signature = signature.bytes("content"),
                .verifier = verifier_v2(signature.object("verifier")),
                .of_payload = true};
  read_hash_v2(record.object("payloadHash"), logged);
  return logged;
}

Logged read_intoto_2(JsonFields spec) {
  auto content = spec.object("content"), envelope = content.object("envelope"), signature = only_signature(envelope);
  auto decoded = decode_base64("sig", signature.bytes("sig"));  // base64 of base64
  if (!decoded) signature.refuse("sig", "want base64 of base64");
  Logged logged{.signature = decoded.value_or(""), .verifier = der_of_pem(signature, "publicKey"), .of_payload = true};
  read_hash_v1(content.object("payloadHash"), logged);
  return logged;
}

struct KindOfEntry {
  std::string_view kind, version;
  Logged (*read)(JsonFields spec);
};
constexpr KindOfEntry kKinds[] = {
    {"hashedrekord", "0.0.1", read_hashedrekord_1},
    {"hashedrekord", "0.0.2", read_hashedrekord_2},
    {"dsse", "0.0.1", read_dsse_1},
    {"dsse", "0.0.2", read_dsse_2},
    {"intoto", "0.0.2", read_intoto_2},
};

Result<Logged> read_body(const LogEntry& entry) {
  const auto value = parse_unambiguous_json(entry.body);
  if (!value) return tl::unexpected(value.error());
  JsonFields fields(*value);
  if (fields.text("kind") != entry.kind) fields.refuse("kind", fmt::format("want {}", printable(entry.kind, 40)));
  if (fields.text("apiVersion") != entry.version)
    fields.refuse("apiVersion", fmt::format("want {}", printable(entry.version, 40)));
  for (const auto& kind : kKinds) {
    if (kind.kind != entry.kind || kind.version != entry.version) continue;
    auto logged = kind.read(fields.object("spec"));
    if (const auto status = fields.status(); !status) return tl::unexpected(status.error());
    return logged;
  }
  return fail(Kind::invalid,
              fmt::format("kind {} {} is not known", printable(entry.kind, 40), printable(entry.version, 40)));
}

// The hash that an entry about `content` must have; nothing when the bytes to compute it from are not at hand.
std::optional<std::string> wanted_hash(const Logged& logged, const SignedContent& content) {
  if (logged.algorithm == EVP_sha256())
    return logged.of_payload ? content.envelope_payload_sha256 : content.message_sha256;
  if (logged.of_payload || !content.message) return std::nullopt;
  return openssl::hash_of(*content.message, logged.algorithm);
}

Status compare(const Logged& logged, const SignedContent& content, std::string_view verifier) {
  if (logged.of_payload && !content.is_envelope())
    return fail(Kind::denied, "want an entry about a signature without an envelope");
  if (logged.signature != content.signature)
    return fail(Kind::denied, "want the signature that is judged here, found another one");
  if (logged.verifier != verifier)
    return fail(Kind::denied, fmt::format("want the key or certificate SHA256:{}, found SHA256:{}",
                                          sha256_hex(verifier), sha256_hex(logged.verifier)));
  const auto wanted = wanted_hash(logged, content);
  if (!wanted)
    return fail(Kind::denied,
                fmt::format("want a hash by SHA-256, found one by {}", EVP_MD_get0_name(logged.algorithm)));
  if (logged.hash != *wanted)
    return fail(Kind::denied, fmt::format("want the hash {}, found {}", to_hex(*wanted), to_hex(logged.hash)));
  return {};
}

}  // namespace

Status check_entry_body(const LogEntry& entry, const SignedContent& content, std::string_view verifier) {
  const auto logged = read_body(entry);
  if (!logged) return while_doing(name_of(entry), logged.error());
  if (const auto status = compare(*logged, content, verifier); !status)
    return while_doing(name_of(entry), status.error());
  return {};
}

}  // namespace windlass
