// Everything around signatures that comes from strangers. The first line says what the rest is: a Sigstore bundle, a
// trusted root, a simple signature (payload, then lines of annotations), a checkpoint, a timestamp, or a key (oci 11,
// 12).
#include <algorithm>

#include "base/text.h"
#include "fuzz/fuzz.h"
#include "sigstore/bundle.h"
#include "sigstore/bundle_format.h"
#include "sigstore/certificate_chain.h"
#include "sigstore/certificate_timestamp.h"
#include "sigstore/checkpoint.h"
#include "sigstore/entry_body.h"
#include "sigstore/instance_fixture.h"
#include "sigstore/signing.h"
#include "sigstore/simple_signing.h"
#include "sigstore/timestamp.h"

namespace windlass {
namespace {

const Digest kArtifact = Digest::of_sha256_hex(std::string(64, 'a'));

// An instance whose keys are new in every process: whatever the input is, it was not signed by any of them.
const TrustedRoot& root() {
  static const TrustedRoot root = test_instance().root();
  return root;
}

TrustPolicy policy(bool ignore_tlog) {
  static const auto key = test_instance().ct_key.public_key();
  return {.enabled = true,
          .public_keys = {key},
          .keyless_identities = {{.issuer = std::string(kTestIssuer), .subject_regexp = "."}},
          .ignore_tlog = ignore_tlog};
}

void check_refused(const Verdict& verdict) {
  require(!verdict.trusted && verdict.by.empty(), "nothing is trusted that nobody signed");
  require(!verdict.reason().empty(), "a refusal has a reason");
  for (const auto& step : verdict.steps) require_printable(step.detail);
}

template <class T>
void check_error(const Result<T>& result) {
  if (!result) require_printable(result.error().message);
}

// The parts that the verdict does not reach because an earlier step has failed.
void walk(const Certificate& certificate) {
  check_error(certificate.public_key());
  check_error(verify_code_signing_chain(certificate, root(), certificate.not_before()));
  check_error(verify_certificate_timestamps(certificate, certificate, root()));
  for (const auto& subject : certificate.subjects()) require(!subject.empty(), "a subject has text");
  if (const auto name = certificate.name(); !name.empty()) require_printable(name);  // Fulcio leaves it empty
}

void fuzz_bundle(std::string_view text) {
  for (const bool ignore_tlog : {false, true}) {
    check_refused(verify_bundle(text, kArtifact, policy(ignore_tlog), &root(), kSigned));
    check_refused(
        verify_file_bundle(text, {.digest = kArtifact, .file = "file"}, policy(ignore_tlog), &root(), kSigned));
  }
  const auto bundle = read_bundle(text, BundleVersions::all);
  if (!bundle) return check_error(bundle);
  require(bundle->certificate.has_value() != bundle->has_key, "a certificate or a key");
  require(bundle->envelope.has_value() != bundle->message.has_value(), "an envelope or a message");
  require(bundle->log_entries.size() <= Bundle::kLogEntriesMax, "at most 32 log entries");
  if (bundle->certificate) walk(*bundle->certificate);
  for (const auto& entry : bundle->log_entries) {
    check_error(check_entry_body(entry, {.message = "m", .message_sha256 = "h", .signature = "s"}, "v"));
    if (entry.proof) check_error(read_checkpoint(entry.proof->checkpoint));
  }
  for (const auto& timestamp : bundle->timestamps) check_error(verify_timestamp(timestamp, "signature", root()));
}

void fuzz_root(std::string_view text) {
  const auto parsed = TrustedRoot::parse(text);
  if (!parsed) return check_error(parsed);
  for (const auto* authorities : {&parsed->certificate_authorities(), &parsed->timestamp_authorities()})
    for (const auto& authority : *authorities) require(!authority.chain.empty(), "an authority has a certificate");
}

// The payload up to an empty line, then "name: value" lines.
void fuzz_simple(std::string_view text) {
  const auto gap = std::min(text.find("\n\n"), text.size());
  SimpleSignature signature{.payload = std::string(text.substr(0, gap)),
                            .media_type = std::string(kSimpleSigningMediaType)};
  for (const auto line : split(text.substr(std::min(gap + 2, text.size())), '\n'))
    if (const auto colon = line.find(": "); colon != line.npos)
      signature.annotations[std::string(line.substr(0, colon))] = line.substr(colon + 2);
  for (const bool ignore_tlog : {false, true})
    check_refused(verify_simple_signature(signature, kArtifact, policy(ignore_tlog), &root(), kSigned));
}

void fuzz_checkpoint(std::string_view text) {
  const auto checkpoint = read_checkpoint(text);
  if (!checkpoint) return check_error(checkpoint);
  require(text.starts_with(checkpoint->text), "what is signed stands at the front");
  require(checkpoint->size >= 0 && checkpoint->root_hash.size() == 32, "a size and a SHA-256 hash");
}

void fuzz_timestamp(std::string_view text) { check_error(verify_timestamp(text, "signature", root())); }

void fuzz_key(std::string_view text) {
  const auto key = PublicKey::parse_pem(text);
  check_error(key);
  if (key) require(PublicKey::parse_der(key->der()) == *key, "a key is read again as itself");
  // A key file may ask for half a gigabyte of scrypt; that is tested elsewhere.
  if (text.find("SIGSTORE") == text.npos && text.find("COSIGN") == text.npos)
    check_error(SigningKey::parse(text, Secret("password")));
  if (const auto certificate = Certificate::parse_pem(text)) walk(*certificate);
}

struct Reader {
  std::string_view name;
  void (*read)(std::string_view text);
};
constexpr Reader kReaders[] = {{"bundle", fuzz_bundle},         {"root", fuzz_root},           {"simple", fuzz_simple},
                               {"checkpoint", fuzz_checkpoint}, {"timestamp", fuzz_timestamp}, {"key", fuzz_key}};

}  // namespace

void fuzz(std::string_view input) {
  const auto name = input.substr(0, input.find('\n'));
  for (const auto& reader : kReaders)
    if (name == reader.name) reader.read(input.substr(std::min(name.size() + 1, input.size())));
}

}  // namespace windlass
