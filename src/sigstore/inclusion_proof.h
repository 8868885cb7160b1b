// Merkle tree inclusion proofs (RFC 9162, 2.1.3) and the checkpoint that they lead to (oci 12.2 B7).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sigstore/log_entry.h"

namespace windlass {

// The hash of a leaf: SHA-256 of a zero byte and the body. Raw bytes, as every hash here.
std::string leaf_hash(std::string_view body);

// The root that leaf `index` of a tree of `size` leaves leads to by the hashes of its siblings. Kind::invalid when
// their number does not fit the tree.
Result<std::string> root_of(std::string_view leaf, std::int64_t index, std::int64_t size,
                            const std::vector<std::string>& siblings);

// The entry is in the tree whose root and size the log signed. Kind::denied with what was wanted and found.
Status verify_inclusion(const LogEntry& entry, const TransparencyLog& log);

}  // namespace windlass
