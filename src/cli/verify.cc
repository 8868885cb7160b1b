#include "cli/verify.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>

#include "base/text.h"
#include "cli/registry_client.h"
#include "cli/trust_story.h"
#include "oci/artifact_trust.h"
#include "oci/content_store.h"
#include "sigstore/identity.h"
#include "source/trust_rules.h"
#include "sys/crypto.h"
#include "sys/files.h"

namespace windlass {
namespace {

constexpr auto kTimeout = std::chrono::minutes(5);
constexpr int kTrusted = 0, kNotTrusted = 1, kCannotTell = 2;

// What is fetched, manifests and signatures, is kept nowhere.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    auto name = (std::filesystem::temp_directory_path() / "windlass-verify-XXXXXX").string();
    if (const char* made = ::mkdtemp(name.data())) path_ = made;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    if (!path_.empty()) (void)remove_tree(path_);
  }
  const std::filesystem::path& path() const { return path_; }  // empty: it could not be made

 private:
  std::filesystem::path path_;
};

int cannot_tell(std::string_view why) {
  fmt::print(stderr, "windlass verify: {}\n", why);
  return kCannotTell;
}

// The sha256 of the manifest: what signatures are about.
Result<Digest> digest_of(Registry& registry, const Reference& reference, const Deadline& deadline) {
  if (!reference.digest()) {
    auto digest = registry.tag_digest(reference, deadline);
    if (!digest) return tl::unexpected(digest.error());
    if (!*digest) return fail(Kind::not_found, "there is no such tag");
    return **digest;
  }
  auto manifest = registry.manifest(reference, *reference.digest(), deadline);
  if (!manifest) return tl::unexpected(manifest.error());
  if (!*manifest) return fail(Kind::not_found, "there is no such digest");
  return Digest::of_sha256_hex(sha256_hex((*manifest)->bytes));
}

int code_of(const TrustReport& report, const TrustPolicy& policy) {
  if (report.trusted_by() != nullptr) return kTrusted;
  return report.failure(policy).kind == Kind::unavailable ? kCannotTell : kNotTrusted;
}

Result<int> explain(const Reference& reference, const std::vector<TrustPolicy>& policies, const std::string& root_file,
                    Registry& registry) {
  const auto deadline = Deadline::in(kTimeout);
  auto digest = digest_of(registry, reference, deadline);
  if (!digest) return while_doing(fmt::format("resolving {}", reference.str()), digest.error());
  fmt::print("artifact: {}\ndigest: {}\n", reference.str(), digest->str());
  const SystemClock clock;
  ArtifactTrust trust({.workers = 1, .trusted_root_file = root_file}, registry, clock,
                      Log(Log::for_standard_error(LogLevel::warning)));
  std::map<int, std::size_t> codes;  // exit code -> how many policies say so
  for (std::size_t i = 0; i < policies.size(); ++i) {
    const auto name = policies.size() == 1 ? "policy" : fmt::format("policy {} of {}", i + 1, policies.size());
    fmt::print("{}: {}\n", name, describe(policies[i]));
    const auto report = trust.examine(reference, *digest, policies[i], deadline);
    if (!report) return tl::unexpected(report.error());
    fmt::print("{}", tell(*report, policies[i]));
    ++codes[code_of(*report, policies[i])];
  }
  if (policies.size() > 1)
    fmt::print("satisfied: {} of {} policies; a deployment needs all\n", codes[kTrusted], policies.size());
  if (codes[kNotTrusted] > 0) return kNotTrusted;
  return codes[kCannotTell] > 0 ? kCannotTell : kTrusted;
}

bool is_given(const KeylessIdentity& identity) {
  return !(identity.issuer + identity.subject + identity.subject_regexp).empty();
}

Result<TrustPolicy> own_policy(const VerifyCommand& command) {
  TrustPolicy policy;
  for (const auto& file : command.key_files) {
    const auto text = read_file(file, PublicKey::kPemBytesMax);
    if (!text) return tl::unexpected(text.error());
    auto key = PublicKey::parse_pem(trim(*text));
    if (!key) return while_doing(file, key.error());
    policy.public_keys.push_back(std::move(*key));
  }
  if (!is_given(command.identity)) return policy;
  if (auto valid = check_identity(command.identity); !valid) return while_doing("identity", valid.error());
  policy.keyless_identities.push_back(command.identity);
  return policy;
}

// As of a webhook: whatever the inline deployments of polls ask for is asked of it too.
Result<std::vector<TrustPolicy>> policies_of_service(const Reference& reference, const Settings& settings) {
  const auto rules = trust_rules(settings);
  if (!rules) return tl::unexpected(rules.error());
  auto policies = rules->of_artifact(reference.source_id(), "");
  if (policies.empty()) policies.push_back(settings.oci_trust_policy);
  return policies;
}

}  // namespace

Result<std::vector<TrustPolicy>> policies_of(const VerifyCommand& command, const Reference& reference,
                                             const Settings& settings) {
  std::vector<TrustPolicy> policies;
  if (!command.key_files.empty() || is_given(command.identity)) {
    auto own = own_policy(command);
    if (!own) return tl::unexpected(own.error());
    policies.push_back(*std::move(own));
  } else {
    auto of_service = policies_of_service(reference, settings);
    if (!of_service) return tl::unexpected(of_service.error());
    policies = *std::move(of_service);
  }
  if (std::none_of(policies.begin(), policies.end(), has_rules))
    return fail(Kind::invalid,
                "there is no policy to verify by: set OCI_TRUST_POLICY, or give --key, or --issuer with "
                "--identity");
  for (auto& policy : policies) policy.ignore_tlog = policy.ignore_tlog || command.ignore_tlog;
  std::set<std::string> hashes;
  std::erase_if(policies, [&](const auto& policy) { return !hashes.insert(policy_hash(policy)).second; });
  return policies;
}

int verify(const VerifyCommand& command, const Environment& environment, HttpTransport& transport) {
  auto reference = Reference::parse(command.reference);
  if (!reference) return cannot_tell(reference.error().message);
  auto settings = read_settings(environment);
  if (!settings) return cannot_tell(join(settings.error().faults, "\n"));
  const auto policies = policies_of(command, *reference, *settings);
  if (!policies) return cannot_tell(policies.error().message);

  auto client = RegistryClient::make(environment, transport);
  if (!client) return cannot_tell(client.error().message);
  const TemporaryFolder folder;
  if (folder.path().empty()) return cannot_tell("cannot make a temporary folder");
  auto store = ContentStore::open({.folder = folder.path()});
  if (!store) return cannot_tell(store.error().message);
  const auto registry = Registry::make((*client)->options(), transport, (*client)->credentials(), **store,
                                       (*client)->clock(), Log(Log::for_standard_error(LogLevel::warning)));
  const auto& root_file =
      command.trusted_root_file.empty() ? settings->oci_trusted_root_file : command.trusted_root_file;
  const auto exit_code = explain(*reference, *policies, root_file, *registry);
  return exit_code ? *exit_code : cannot_tell(exit_code.error().message);
}

}  // namespace windlass
