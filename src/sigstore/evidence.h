// What both signature formats come to: a signature, perhaps a certificate, the log entries and times that were proven
// for it. The rules of a policy are judged on that.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "sigstore/certificate.h"
#include "sigstore/log_entry.h"
#include "sigstore/signed_content.h"
#include "sigstore/trust_policy.h"
#include "sigstore/trusted_root.h"
#include "sigstore/verdict.h"

namespace windlass {

struct Evidence {
  SignedContent content;
  std::optional<Certificate> certificate;
  bool certificate_or_key = false;  // bundles: a certificate rules keys out. Else the two must agree (K8)
  std::vector<LogEntry> entries;    // proven; none when the log is ignored
  std::vector<WallTime> times;      // proven: when the signature existed
};

// Every entry of a log that the root knows is included (B7), keeps its promise if it has one (B8), and at least one is
// left. Gives those entries and adds their times to `times`, which come in with what timestamps prove: an entry without
// a promise must have been made in its log's window by them, or by `now` when there are none.
Result<std::vector<LogEntry>> verify_log_entries(const std::vector<LogEntry>& entries, const TrustedRoot& root,
                                                 WallTime now, std::vector<WallTime>& times);

// Keys first, then identities; the first rule that passes ends it.
void judge(const Evidence& evidence, const TrustPolicy& policy, const TrustedRoot* root, WallTime now,
           Verdict& verdict);

}  // namespace windlass
