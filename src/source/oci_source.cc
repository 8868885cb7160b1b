#include "source/oci_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "config/inline_deployments.h"
#include "sys/crypto.h"
#include "sys/files.h"

namespace windlass {
namespace {

Settled deploy(const Digest& digest) { return {.deploy = digest, .reason = {}}; }
Settled skip(std::string reason) { return {.deploy = std::nullopt, .reason = std::move(reason)}; }

bool contains(const std::vector<Digest>& digests, const Digest& digest) {
  return std::find(digests.begin(), digests.end(), digest) != digests.end();
}

// A repository that the registry does not know yet comes with its first push.
bool may_still_come(const Result<std::optional<Digest>>& found) {
  return found ? !found->has_value() : found.error().kind == Kind::not_found;
}

Result<Reference> reference_of(const JobRequest& request) {
  auto reference = Reference::parse(request.artifact);
  if (!reference) return while_doing("failed to parse OCI artifact reference", reference.error());
  return reference;
}

}  // namespace

// What one settling is about.
struct OciSource::Question {
  const Job& job;
  Reference reference;
  const LaneHistory& history;
  const Deadline& deadline;
};

OciSource::OciSource(Options options, Registry& registry, ArtifactTrust& trust, Log log)
    : options_(std::move(options)), registry_(registry), trust_(trust), log_(std::move(log)) {}

Result<Look> OciSource::look(const JobRequest& request, const std::optional<Sighting>& last, const Deadline& deadline) {
  auto reference = reference_of(request);
  if (!reference) return tl::unexpected(reference.error());
  if (reference->digest()) return look_at_digest(request, *reference, last, deadline);
  const auto seen = last ? std::optional(TagView{last->digest, last->validator}) : std::nullopt;
  auto look = registry_.look_at_tag(*reference, seen, deadline);
  if (!look) return while_doing(fmt::format("looking at {}", reference->str()), look.error());
  Look result{.come_again = look->come_again, .reason = std::move(look->reason)};
  if (look->view) result.seen = Sighting{std::move(look->view->digest), std::move(look->view->etag)};
  return result;
}

// A digest never moves. Of one that is no sha256 the sha256 is found out once.
Result<Look> OciSource::look_at_digest(const JobRequest& request, const Reference& reference,
                                       const std::optional<Sighting>& last, const Deadline& deadline) {
  if (last) return Look{.seen = last};
  const auto& digest = *reference.digest();
  if (digest.algorithm() == "sha256") return Look{.seen = Sighting{digest, ""}};
  const Job job{.request = request};
  auto known = sha256_of({job, reference, LaneHistory{}, deadline}, digest);
  if (!known) return while_doing(fmt::format("resolving {}", reference.str()), known.error());
  return *known ? Look{.seen = Sighting{**known, ""}} : Look{};
}

Result<Settled> OciSource::settle(const Job& job, const LaneHistory& history, const Deadline& deadline) {
  auto reference = reference_of(job.request);
  if (!reference) return tl::unexpected(reference.error());
  if (job.request.cause == kRetryCause)  // who has just pushed, or asks for it, may know that it is well again
    if (const auto left = registry_.left_alone_for(*reference))
      return fail(Kind::unavailable,
                  fmt::format("resolving {}: {}", reference->str(), left_alone_reason(*reference, *left)));
  const Question question{job, *reference, history, deadline};
  auto settled = reference->digest() ? settle_by_digest(question) : settle_by_tag(question);
  if (!settled) return while_doing(fmt::format("resolving {}", reference->str()), settled.error());
  return settled;
}

// The digest of the manifest bytes as sha256, which is what all state is kept by; nothing if the repository lacks it.
Result<std::optional<Digest>> OciSource::sha256_of(const Question& question, const Digest& announced) {
  auto manifest = registry_.present_manifest(question.reference, announced, question.deadline);
  if (!manifest) return tl::unexpected(manifest.error());
  if (!*manifest) return std::optional<Digest>();
  return std::optional(Digest::of_sha256_hex(sha256_hex((*manifest)->bytes)));
}

// webhook/P2: a digest that the registry does not show yet is asked for again, with an end.
Result<std::optional<Digest>> OciSource::wait_for(const Question& question, const Digest& announced) {
  for (std::size_t round = 0;; ++round) {
    auto digest = sha256_of(question, announced);
    if (!may_still_come(digest) || round == options_.pauses.size()) return digest;
    log_.info("digest not in the registry yet", {{"digest", announced.str()}});
    if (!pause(options_.pauses[round], question.deadline))
      return fail(Kind::unavailable, fmt::format("gave up waiting for digest {}", announced.str()));
  }
}

// webhook/P5
Result<Settled> OciSource::settle_by_digest(const Question& question) {
  const auto& announced = *question.reference.digest();
  auto digest = wait_for(question, announced);
  if (!digest) return tl::unexpected(digest.error());
  if (!*digest)
    return fail(Kind::not_found,
                fmt::format("digest {} not found in {}", announced.str(), question.reference.repository()));
  const auto& seen = question.history.seen;
  const bool is_announced = question.job.request.digest.has_value();  // else an operator wants it: webhook/P0
  if (is_announced && question.history.has_seen(**digest) && seen.back() != **digest)
    return skip(fmt::format("superseded: {} came before {}, use rollback", (*digest)->str(), seen.back().str()));
  if (is_announced && !question.history.overtaken_by.empty() && question.history.last == **digest)
    return skip(
        fmt::format("superseded: {} came before {}, use rollback", (*digest)->str(), question.history.overtaken_by));
  return deploy(**digest);
}

Result<Settled> OciSource::settle_by_tag(const Question& question) {
  const auto& job = question.job;
  if (job.request.digest) return settle_announced(question, *job.request.digest);
  // It took the place of a webhook, whose digest the tag may not point to yet (webhook/C8).
  if (!job.replaced_digests.empty()) {
    auto settled = settle_announced(question, job.replaced_digests.back());
    if (settled ? settled->deploy.has_value() : settled.error().kind == Kind::unavailable) return settled;
  }
  const auto& reference = question.reference;
  auto current = registry_.tag_digest(reference, question.deadline);
  if (!current) return tl::unexpected(current.error());
  if (!*current)
    return fail(Kind::not_found, fmt::format("tag {} not found in {}", reference.tag(), reference.repository()));
  return deploy(**current);  // P0
}

// The table of webhook 14 for artifacts given by tag, first row that fits.
Result<Settled> OciSource::settle_announced(const Question& question, const Digest& announced) {
  const auto& reference = question.reference;
  const auto ask_tag = [&]() -> Result<std::optional<Digest>> {
    auto digest = registry_.tag_digest(reference, question.deadline);
    return may_still_come(digest) ? std::optional<Digest>() : digest;
  };
  auto current = ask_tag();
  if (!current) return tl::unexpected(current.error());

  const auto wanted = [&](const std::optional<Digest>& tag, const Digest& digest) {
    return tag && (*tag == digest || contains(question.job.replaced_digests, *tag));
  };
  if (wanted(*current, announced)) return deploy(**current);  // P1

  auto known = wait_for(question, announced);  // P2
  if (!known) return tl::unexpected(known.error());
  if (!*known)
    return fail(Kind::not_found, fmt::format("digest {} not found in {}", announced.str(), reference.repository()));
  const Digest digest = **known;  // from here on sha256, also where sha512 was announced
  current = ask_tag();
  if (!current) return tl::unexpected(current.error());
  if (wanted(*current, digest)) return deploy(**current);

  if (*current) {  // P6
    auto child = registry_.is_child_of(reference, digest, **current, question.deadline);
    if (!child) return tl::unexpected(child.error());
    if (*child)
      return fail(Kind::invalid, fmt::format("digest {} is a platform manifest below the index {} that {} points to: "
                                             "announce the digest of the index",
                                             digest.str(), (*current)->str(), reference.tag()));
  }
  const auto& history = question.history;
  const bool tag_may_be_behind = !*current || !history.last || **current == *history.last;
  if (!history.has_seen(digest) && tag_may_be_behind) {  // P3
    for (const auto span : options_.pauses) {
      log_.info("tag does not point to the digest yet", {{"digest", digest.str()}, {"tag", reference.tag()}});
      if (!pause(span, question.deadline)) return fail(Kind::unavailable, "gave up waiting for the tag to move");
      current = ask_tag();
      if (!current) return tl::unexpected(current.error());
      if (wanted(*current, digest)) return deploy(**current);
    }
  }
  // P3b, P4: a captured old webhook never rolls a stack back, and what the tag does not point to is never deployed.
  return skip(
      fmt::format("superseded: {} now points to {}", reference.tag(), *current ? (*current)->str() : "no digest"));
}

Status OciSource::verify(const Job& job, const Digest& digest, const Deadline& deadline) {
  auto reference = reference_of(job.request);
  if (!reference) return tl::unexpected(reference.error());
  for (const auto& policy : options_.trust.of_artifact(reference->source_id(), job.request.deployments))
    if (auto trusted = check_trust(job, *reference, digest, policy, deadline); !trusted) return trusted;
  return {};
}

Status OciSource::check_trust(const Job& job, const Reference& reference, const Digest& digest,
                              const TrustPolicy& policy, const Deadline& deadline) {
  auto trusted = trust_.check(reference, digest, policy, deadline);
  if (job.request.cause != kRegistryEventCause) return trusted;
  for (const auto span : options_.signature_pauses) {
    if (trusted || trusted.error().kind != Kind::denied) break;
    log_.info("announced artifact is not trusted yet: its signature may still come",
              {{"job_id", job.id}, {"digest", digest.str()}, {"error", trusted.error().message}});
    if (!pause(span, deadline)) break;
    trusted = trust_.check(reference, digest, policy, deadline);
  }
  return trusted;
}

Status OciSource::verify_deployment(const Job& job, const Digest& digest, const TrustOverride& wanted,
                                    const Deadline& deadline) {
  auto reference = reference_of(job.request);
  if (!reference) return tl::unexpected(reference.error());
  return check_trust(job, *reference, digest, options_.trust.of_deployment(wanted), deadline);
}

std::string OciSource::trust_stamp(const JobRequest& request) {
  auto reference = Reference::parse(request.artifact);
  if (!reference) return reference.error().message;
  // Just what verify() and verify_deployment() ask for, each policy once: it does not matter who demands it.
  std::set<std::string> stamps;
  for (const auto& policy : options_.trust.of_artifact(reference->source_id(), request.deployments))
    stamps.insert(trust_.stamp(policy) + "\n");
  if (!request.deployments.empty()) {
    const auto configs = read_inline_deployments(request.deployments);
    if (!configs) return configs.error().message;
    for (const auto& stack : configs->stacks)
      if (const auto policy = options_.trust.of_deployment(stack.trust); !stack.trust.empty() && policy.enabled)
        stamps.insert(trust_.stamp(policy) + "\n");
  }
  return fmt::format("{}", fmt::join(stamps, ""));
}

Result<UnpackedTree> OciSource::fetch(const Job& job, const Digest& digest, const std::filesystem::path& staging,
                                      const Deadline& deadline) {
  auto reference = reference_of(job.request);
  if (!reference) return tl::unexpected(reference.error());
  const auto pull_deadline = deadline.within(options_.pull_timeout);
  auto artifact = registry_.fetch(*reference, digest, pull_deadline);
  if (!artifact) return while_doing(fmt::format("pulling {}", reference->with_digest(digest).str()), artifact.error());
  auto tree = unpack(*artifact, staging, options_.limits, options_.content_key, pull_deadline);
  if (!tree) return while_doing(fmt::format("unpacking {}", reference->with_digest(digest).str()), tree.error());
  return tree;
}

Result<UnpackedTree> OciSource::unpack_archive(std::string_view archive, const std::filesystem::path& staging,
                                               const Deadline& deadline) {
  auto file = staging;
  file += ".tar.gz";
  if (auto made = make_folders(file.parent_path()); !made) return tl::unexpected(made.error());
  if (auto written = write_file(file, archive); !written) return tl::unexpected(written.error());
  const StoredLayer layer{.digest = Digest::of_sha256_hex(sha256_hex(archive)),
                          .media_type = "application/vnd.oci.image.layer.v1.tar+gzip",
                          .size_bytes = archive.size(),
                          .annotations = {},
                          .file = file};
  auto tree = unpack({layer}, staging, options_.limits, options_.content_key, deadline);
  std::error_code gone;
  std::filesystem::remove(file, gone);
  return tree;
}

Result<std::string> OciSource::live_path(const Job& job) const {
  auto reference = reference_of(job.request);
  if (!reference) return tl::unexpected(reference.error());
  return reference->live_path();
}

}  // namespace windlass
