// What a transparency log says about a signature: the entry that a bundle or an annotation carries. Nothing of it is
// proven by reading it; see log_promise.h, inclusion_proof.h and entry_body.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "sigstore/json_fields.h"
#include "sigstore/trusted_root.h"

namespace windlass {

struct InclusionProof {
  std::int64_t log_index = 0;  // inside its tree; LogEntry::log_index counts over all trees of the log
  std::int64_t tree_size = 0;
  std::string root_hash;
  std::vector<std::string> hashes;  // of the siblings, leaf to root
  std::string checkpoint;           // a signed note
};

struct LogEntry {
  std::string log_id;  // raw bytes
  std::int64_t log_index = 0;
  std::int64_t integrated_time = 0;  // Unix seconds; proven by the promise only, 0 in Rekor v2
  std::string kind, version;         // "hashedrekord", "0.0.1"
  std::string promise;               // signed entry timestamp; "" without
  std::optional<InclusionProof> proof;
  std::string body;  // canonical JSON, as it was logged
};

// One item of a bundle's `tlogEntries`. Faults are kept in `fields`.
LogEntry read_log_entry(JsonFields& fields);

// The annotation `dev.sigstore.cosign/bundle` of a simple signature (K5). Kind::invalid with the field that is wrong.
Result<LogEntry> read_log_entry_annotation(std::string_view json);

// "log entry 123" for messages.
std::string name_of(const LogEntry& entry);

// The log was in use at `time`. Kind::denied with what was wanted and found.
Status check_in_use(const LogEntry& entry, const TransparencyLog& log, WallTime time);

}  // namespace windlass
