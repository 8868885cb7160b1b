// The promise of a log to include an entry (Rekor v1's signed entry timestamp): what proves the time of an entry
// (oci 12.1 K7, 12.2 B8).
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "sigstore/log_entry.h"

namespace windlass {

// The integrated time, proven: the log signed it, together with body, index and log id, inside its window.
// Kind::denied with what was wanted and found.
Result<WallTime> verify_promise(const LogEntry& entry, const TransparencyLog& log);

}  // namespace windlass
