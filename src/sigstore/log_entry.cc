#include "sigstore/log_entry.h"

#include <fmt/format.h>

#include "base/text.h"
#include "sys/unambiguous_json.h"

namespace windlass {
namespace {

constexpr std::size_t kHashesMax = 64;                  // a tree of 2^64 leaves
constexpr std::size_t kAnnotationBytesMax = 256 << 10;  // real ones: 4 KB

InclusionProof read_proof(JsonFields fields) {
  fields.only({"logIndex", "rootHash", "treeSize", "hashes", "checkpoint"});
  auto checkpoint = fields.object("checkpoint");
  checkpoint.only({"envelope"});
  return {.log_index = fields.number("logIndex"),
          .tree_size = fields.number("treeSize"),
          .root_hash = fields.bytes("rootHash"),
          .hashes = fields.byte_items("hashes", kHashesMax),
          .checkpoint = checkpoint.text("envelope")};
}

}  // namespace

LogEntry read_log_entry(JsonFields& fields) {
  fields.only({"logIndex", "logId", "kindVersion", "integratedTime", "inclusionPromise", "inclusionProof",
               "canonicalizedBody"});
  auto log_id = fields.object("logId"), kind = fields.object("kindVersion"),
       promise = fields.object("inclusionPromise");
  log_id.only({"keyId"});
  kind.only({"kind", "version"});
  promise.only({"signedEntryTimestamp"});
  LogEntry entry{.log_id = log_id.bytes("keyId"),
                 .log_index = fields.number("logIndex"),
                 .integrated_time = fields.number("integratedTime"),
                 .kind = kind.text("kind"),
                 .version = kind.text("version"),
                 .promise = promise.bytes("signedEntryTimestamp"),
                 .body = fields.bytes("canonicalizedBody")};
  if (fields.has("inclusionProof")) entry.proof = read_proof(fields.object("inclusionProof"));
  return entry;
}

Result<LogEntry> read_log_entry_annotation(std::string_view json) {
  if (json.size() > kAnnotationBytesMax)
    return fail(Kind::invalid, fmt::format("want at most {} bytes, got {}", kAnnotationBytesMax, json.size()));
  const auto value = parse_unambiguous_json(json);
  if (!value) return tl::unexpected(value.error());
  JsonFields fields(*value);
  auto payload = fields.object("Payload");
  const auto log_id = from_hex(payload.text("logID"));
  if (!log_id || log_id->empty()) payload.refuse("logID", "want hexadecimal text");
  LogEntry entry{.log_id = log_id.value_or(""),
                 .log_index = payload.number("logIndex"),
                 .integrated_time = payload.number("integratedTime"),
                 .kind = "hashedrekord",
                 .version = "0.0.1",
                 .promise = fields.bytes("SignedEntryTimestamp"),
                 .body = payload.bytes("body")};
  if (const auto status = fields.status(); !status) return tl::unexpected(status.error());
  return entry;
}

std::string name_of(const LogEntry& entry) { return fmt::format("log entry {}", entry.log_index); }

Status check_in_use(const LogEntry& entry, const TransparencyLog& log, WallTime time) {
  if (log.window.includes(time)) return {};
  return fail(Kind::denied, fmt::format("{}: want a time when log {} was in use ({}), found {}", name_of(entry),
                                        log.name(), log.window.str(), to_rfc3339(time)));
}

}  // namespace windlass
