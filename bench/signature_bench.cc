// CPU of one signature check, from the bytes that its requests have brought to the verdict (goal in
// docs/performance.md: 5 ms). Policy and trusted root are read once in a process, so that reading them is a figure of
// its own.
#include <benchmark/benchmark.h>

#include <string>

#include "sigstore/bundle.h"
#include "sigstore/bundle_fixture.h"
#include "sigstore/simple_signing.h"

namespace windlass {
namespace {

struct Signer {
  std::string name;
  TestKey key;
  const EVP_MD* hash;  // null: Ed25519ph; all as cosign signs
};

template <class Check>
void measure(benchmark::State& state, Check check) {
  for (auto _ : state) {
    const Verdict verdict = check();
    if (!verdict.trusted) return state.SkipWithError(verdict.reason().c_str());
  }
}

void classic_by_key(benchmark::State& state, const Signer& signer) {
  SimpleSignature signature{.payload = simple_signing_payload("registry.example/shop", kArtifact),
                            .annotations = {},
                            .media_type = std::string(kSimpleSigningMediaType)};
  signature.annotations[std::string(kSignatureAnnotation)] =
      base64_encode(signer.hash != nullptr ? signer.key.sign(signature.payload, signer.hash)
                                           : signer.key.sign_hashed(signature.payload));
  const TrustPolicy policy{.enabled = true, .public_keys = {signer.key.public_key()}, .ignore_tlog = true};
  measure(state, [&] { return verify_simple_signature(signature, kArtifact, policy, nullptr, kSigned); });
}

void reading_a_key(benchmark::State& state, const Signer& signer) {
  const auto pem = signer.key.pem();
  for (auto _ : state) benchmark::DoNotOptimize(PublicKey::parse_pem(pem));
}

void bundle(benchmark::State& state, const TestBundle& bundle, const TrustPolicy& policy) {
  const auto root = test_instance().root();
  const auto text = bundle.text();
  measure(state, [&] { return verify_bundle(text, kArtifact, policy, &root, kSigned); });
}

void bundle_by_key(benchmark::State& state, bool ignore_tlog) {
  const auto made = make_bundle({.signed_with_key = true});
  bundle(state, made, {.enabled = true, .public_keys = {made.key}, .ignore_tlog = ignore_tlog});
}

// Certificate chain, its timestamp, the log's promise and proof; Rekor v2 has a timestamp of an authority instead.
void bundle_by_identity(benchmark::State& state, LogKind log) {
  const auto made = make_bundle({.log = log, .has_timestamp = log == LogKind::rekor2});
  const KeylessIdentity builder{.issuer = std::string(kTestIssuer), .subject = std::string(kTestSubject)};
  bundle(state, made, {.enabled = true, .keyless_identities = {builder}});
}

void reading_a_trusted_root(benchmark::State& state) {
  const auto text = json::serialize(test_instance().trusted_root_json());
  for (auto _ : state) benchmark::DoNotOptimize(TrustedRoot::parse(text));
}

template <class Run>
void add(const std::string& name, Run run) {
  benchmark::RegisterBenchmark(name.c_str(), run)->Unit(benchmark::kMicrosecond);
}

void add_all() {
  static const Signer signers[] = {
      {"ECDSA_P256", TestKey::ec("P-256"), EVP_sha256()}, {"ECDSA_P384", TestKey::ec("P-384"), EVP_sha384()},
      {"ECDSA_P521", TestKey::ec("P-521"), EVP_sha512()}, {"RSA_4096", TestKey::rsa(4096), EVP_sha256()},
      {"Ed25519", TestKey::ed25519(), nullptr},
  };
  for (const auto& signer : signers) {
    add("classic_by_key/" + signer.name, [&](benchmark::State& state) { classic_by_key(state, signer); });
    add("reading_a_key/" + signer.name, [&](benchmark::State& state) { reading_a_key(state, signer); });
  }
  add("bundle_by_key/without_log", [](benchmark::State& state) { bundle_by_key(state, true); });
  add("bundle_by_key/rekor_v1", [](benchmark::State& state) { bundle_by_key(state, false); });
  add("bundle_by_identity/rekor_v1", [](benchmark::State& state) { bundle_by_identity(state, LogKind::rekor1); });
  add("bundle_by_identity/rekor_v2", [](benchmark::State& state) { bundle_by_identity(state, LogKind::rekor2); });
  add("reading_a_trusted_root", reading_a_trusted_root);
}

}  // namespace
}  // namespace windlass

int main(int count, char** arguments) {
  benchmark::Initialize(&count, arguments);
  if (benchmark::ReportUnrecognizedArguments(count, arguments)) return 2;
  windlass::add_all();
  benchmark::RunSpecifiedBenchmarks();
}
