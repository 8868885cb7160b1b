#include "sigstore/inclusion_proof.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "sigstore/openssl.h"

namespace windlass {
namespace {

using Leaves = std::vector<std::string>;

std::string node(const std::string& left, const std::string& right) {
  return openssl::hash_of("\x01" + left + right, EVP_sha256());
}

std::size_t split_of(std::size_t size) {  // the largest power of two below it
  std::size_t split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

// RFC 9162, 2.1.1 and 2.1.3.1, word for word.
std::string tree_hash(const Leaves& leaves) {
  if (leaves.size() == 1) return leaf_hash(leaves[0]);
  const auto split = static_cast<std::ptrdiff_t>(split_of(leaves.size()));
  return node(tree_hash({leaves.begin(), leaves.begin() + split}), tree_hash({leaves.begin() + split, leaves.end()}));
}
Leaves path(std::size_t index, const Leaves& leaves) {
  if (leaves.size() == 1) return {};
  const auto split = split_of(leaves.size());
  const auto middle = leaves.begin() + static_cast<std::ptrdiff_t>(split);
  const Leaves left(leaves.begin(), middle), right(middle, leaves.end());
  auto out = index < split ? path(index, left) : path(index - split, right);
  out.push_back(tree_hash(index < split ? right : left));
  return out;
}

TEST(InclusionProof, HashesLeavesAsTheStandardDoes) {
  EXPECT_EQ(to_hex(leaf_hash("")), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
}

TEST(InclusionProof, LeadsEveryLeafOfEveryTreeToItsRoot) {  // B7
  Leaves leaves;
  for (std::size_t size = 1; size <= 20; ++size) {
    leaves.push_back("leaf " + std::to_string(size));
    const auto root = tree_hash(leaves);
    for (std::size_t index = 0; index < size; ++index) {
      SCOPED_TRACE(fmt::format("leaf {} of {}", index, size));
      const auto siblings = path(index, leaves);
      const auto leaf = leaf_hash(leaves[index]);
      const auto found = root_of(leaf, static_cast<std::int64_t>(index), static_cast<std::int64_t>(size), siblings);
      ASSERT_TRUE(found) << found.error().message;
      EXPECT_EQ(*found, root);
      auto longer = siblings;
      longer.push_back(root);
      EXPECT_FALSE(root_of(leaf, static_cast<std::int64_t>(index), static_cast<std::int64_t>(size), longer));
      if (siblings.empty()) continue;
      const Leaves shorter(siblings.begin(), siblings.end() - 1);
      EXPECT_FALSE(root_of(leaf, static_cast<std::int64_t>(index), static_cast<std::int64_t>(size), shorter));
    }
  }
}

TEST(InclusionProof, RefusesWhatFitsNoTree) {
  const auto leaf = leaf_hash("x");
  const std::string hash(32, 'h');
  EXPECT_EQ(root_of(leaf, 1, 1, {}).error().message, "want a leaf index below the tree size 1, found 1");
  EXPECT_EQ(root_of(leaf, 0, 0, {}).error().message, "want a leaf index below the tree size 0, found 0");
  EXPECT_EQ(root_of(leaf, -1, 1, {}).error().message, "want a leaf index below the tree size 1, found -1");
  EXPECT_EQ(root_of(leaf, 0, 2, {"short"}).error().message, "want hashes of 32 bytes");
  EXPECT_EQ(root_of(leaf, 0, 1, {hash}).error().message, "the proof has more hashes than the tree has levels");
  EXPECT_EQ(root_of(leaf, 0, 4, {hash}).error().message, "the proof has fewer hashes than the tree has levels");
}

}  // namespace
}  // namespace windlass
