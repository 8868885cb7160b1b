#include "sigstore/inclusion_proof.h"

#include <fmt/format.h>

#include "base/text.h"
#include "sigstore/checkpoint.h"
#include "sigstore/openssl.h"

namespace windlass {
namespace {

constexpr std::size_t kHashBytes = 32;

std::string sha256(std::string_view bytes) { return openssl::hash_of(bytes, EVP_sha256()); }

std::string node_hash(std::string_view left, std::string_view right) {
  return sha256(fmt::format("\x01{}{}", left, right));
}

// A Rekor v2 log is known by the host it names; v1 logs put a tree number behind it.
bool is_rekor_v2(const LogEntry& entry) { return entry.version == "0.0.2" && entry.kind != "intoto"; }

}  // namespace

std::string leaf_hash(std::string_view body) { return sha256(std::string(1, '\0') + std::string(body)); }

Result<std::string> root_of(std::string_view leaf, std::int64_t index, std::int64_t size,
                            const std::vector<std::string>& siblings) {
  if (index < 0 || index >= size)
    return fail(Kind::invalid, fmt::format("want a leaf index below the tree size {}, found {}", size, index));
  std::string hash(leaf);
  auto node = index, last = size - 1;  // positions on the present level of this node and of the rightmost one
  for (const auto& sibling : siblings) {
    if (sibling.size() != kHashBytes) return fail(Kind::invalid, "want hashes of 32 bytes");
    if (last == 0) return fail(Kind::invalid, "the proof has more hashes than the tree has levels");
    if (node % 2 == 1 || node == last) {
      hash = node_hash(sibling, hash);
      for (; node % 2 == 0 && node != 0; node /= 2) last /= 2;  // levels where this node has no sibling
    } else {
      hash = node_hash(hash, sibling);
    }
    node /= 2;
    last /= 2;
  }
  if (last != 0) return fail(Kind::invalid, "the proof has fewer hashes than the tree has levels");
  return hash;
}

Status verify_inclusion(const LogEntry& entry, const TransparencyLog& log) {
  const auto name = name_of(entry);
  if (!entry.proof) return fail(Kind::denied, fmt::format("{}: want an inclusion proof, found none", name));
  const auto& proof = *entry.proof;
  const auto checkpoint = read_checkpoint(proof.checkpoint);
  if (!checkpoint) return while_doing(name, checkpoint.error());
  if (const auto status = verify_checkpoint(*checkpoint, log); !status) return while_doing(name, status.error());
  if (is_rekor_v2(entry) && checkpoint->origin != log.host)
    return fail(Kind::denied, fmt::format("{}: want a checkpoint of origin '{}', found '{}'", name, log.host,
                                          printable(checkpoint->origin, 200)));
  if (proof.tree_size != checkpoint->size || proof.root_hash != checkpoint->root_hash)
    return fail(Kind::denied,
                fmt::format("{}: want size and root of the checkpoint ({}, {}), found {}, {}", name, checkpoint->size,
                            to_hex(checkpoint->root_hash), proof.tree_size, to_hex(proof.root_hash)));
  const auto root = root_of(leaf_hash(entry.body), proof.log_index, proof.tree_size, proof.hashes);
  if (!root) return while_doing(fmt::format("{}: inclusion proof", name), root.error());
  if (*root != proof.root_hash)
    return fail(Kind::denied, fmt::format("{}: want a proof that leads to root {}, found one to {}", name,
                                          to_hex(proof.root_hash), to_hex(*root)));
  return {};
}

}  // namespace windlass
