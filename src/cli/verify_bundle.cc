#include "cli/verify_bundle.h"

#include <fmt/format.h>

#include <filesystem>

#include "cli/verdict_text.h"
#include "sigstore/bundle.h"
#include "sigstore/bundle_format.h"
#include "sigstore/identity.h"
#include "sys/crypto.h"
#include "sys/files.h"

namespace windlass {
namespace {

constexpr std::uint64_t kFileBytesMax = 1ull << 30;  // read whole: some signatures are over the file itself

// A digest, unless a file has that name.
Result<BundleSubject> read_subject(const std::string& file_or_digest) {
  auto digest = Digest::parse(file_or_digest);
  if (digest && digest->algorithm() == "sha256" && !std::filesystem::exists(file_or_digest))
    return BundleSubject{.digest = std::move(*digest)};
  auto file = read_file(file_or_digest, kFileBytesMax);
  if (!file) return tl::unexpected(file.error());
  return BundleSubject{.digest = Digest::of_sha256_hex(sha256_hex(*file)), .file = std::move(*file)};
}

Result<TrustPolicy> read_policy(const VerifyBundleCommand& command) {
  TrustPolicy policy{.enabled = true};
  if (command.key.empty()) {
    KeylessIdentity identity{.issuer = command.certificate_oidc_issuer, .subject = command.certificate_identity};
    if (const auto status = check_identity(identity); !status) return tl::unexpected(status.error());
    policy.keyless_identities.push_back(std::move(identity));
    return policy;
  }
  const auto pem = read_file(command.key, PublicKey::kPemBytesMax);
  if (!pem) return tl::unexpected(pem.error());
  auto key = PublicKey::parse_pem(*pem);
  if (!key) return while_doing(fmt::format("reading key {}", command.key), key.error());
  policy.public_keys.push_back(std::move(*key));
  return policy;
}

Result<TrustedRoot> read_root(const std::string& file) {
  if (file.empty())
    return fail(Kind::invalid,
                "want a trusted root: --trusted-root FILE or OCI_TRUSTED_ROOT_FILE names its trusted_root.json");
  const auto json = read_file(file, TrustedRoot::kBytesMax);
  if (!json) return tl::unexpected(json.error());
  return TrustedRoot::parse(*json);
}

Result<Verdict> verify(const VerifyBundleCommand& command, const std::string& root_file, WallTime now) {
  const auto policy = read_policy(command);
  if (!policy) return tl::unexpected(policy.error());
  const auto root = read_root(root_file);
  if (!root) return tl::unexpected(root.error());
  const auto subject = read_subject(command.file_or_digest);
  if (!subject) return tl::unexpected(subject.error());
  const auto bundle = read_file(command.bundle, Bundle::kBytesMax);
  if (!bundle) return tl::unexpected(bundle.error());
  return verify_file_bundle(*bundle, *subject, *policy, &*root, now);
}

}  // namespace

CommandOutcome verify_bundle_file(const VerifyBundleCommand& command, const std::string& root_setting, WallTime now) {
  const auto verdict = verify(command, command.trusted_root.empty() ? root_setting : command.trusted_root, now);
  if (!verdict) return {.exit_code = 1, .output = fmt::format("not trusted: {}\n", verdict.error().message)};
  return {.exit_code = verdict->trusted ? 0 : 1, .output = verdict_text(*verdict)};
}

}  // namespace windlass
