#include "sigstore/log_promise.h"

#include <fmt/format.h>

#include "base/text.h"
#include "sys/crypto.h"

namespace windlass {
namespace {

// RFC 8785 of the four fields. Base64, hexadecimal and whole numbers need no escapes, and the names stand sorted.
std::string signed_text(const LogEntry& entry) {
  return fmt::format(R"({{"body":"{}","integratedTime":{},"logID":"{}","logIndex":{}}})", base64_encode(entry.body),
                     entry.integrated_time, to_hex(entry.log_id), entry.log_index);
}

}  // namespace

Result<WallTime> verify_promise(const LogEntry& entry, const TransparencyLog& log) {
  if (entry.promise.empty())
    return fail(Kind::denied, fmt::format("{}: want a signed entry timestamp, found none", name_of(entry)));
  if (!log.key.verifies(signed_text(entry), entry.promise, SignedForm::log_record))
    return fail(Kind::denied,
                fmt::format("{}: want a signed entry timestamp of log {} (key {}), found another signature",
                            name_of(entry), log.name(), log.key.fingerprint()));
  const auto time = from_unix_seconds(entry.integrated_time);
  if (const auto status = check_in_use(entry, log, time); !status) return tl::unexpected(status.error());
  return time;
}

}  // namespace windlass
