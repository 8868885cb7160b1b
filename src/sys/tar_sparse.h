// Sparse files in tar: the pieces that are stored, everything between them is zeros.
//
// Four ways to write it: GNU's own header (type S), and PAX records in the forms 0.0, 0.1 and 1.0 (GNU tar manual,
// "Storing Sparse Files").
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sys/pax_records.h"

namespace windlass {

struct SparsePiece {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

struct SparseMap {
  std::vector<SparsePiece> pieces;  // ascending, not overlapping
  std::uint64_t size_bytes = 0;     // of the whole file
  std::uint64_t stored_bytes = 0;   // of the pieces together
};

// Gives the next block of the archive.
using NextTarBlock = std::function<Result<std::string>()>;

// GNU's header `block` and the blocks it announces.
Result<SparseMap> gnu_sparse_map(std::string_view block, const NextTarBlock& next_block);
// Forms 0.0 and 0.1: the map is in the records.
Result<SparseMap> pax_sparse_map(const PaxRecords& records);
// Form 1.0: the map stands before the data, in blocks of its own; `blocks` says how many.
Result<SparseMap> pax_sparse_map_in_data(const PaxRecords& records, const NextTarBlock& next_block,
                                         std::uint64_t& blocks);
bool has_sparse_records(const PaxRecords& records);
bool has_sparse_map_in_data(const PaxRecords& records);

}  // namespace windlass
