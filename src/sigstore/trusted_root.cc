#include "sigstore/trusted_root.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "sigstore/json_fields.h"
#include "sys/crypto.h"
#include "sys/unambiguous_json.h"

namespace windlass {
namespace {

constexpr std::string_view kMediaTypes[] = {"application/vnd.dev.sigstore.trustedroot+json;version=0.1",
                                            "application/vnd.dev.sigstore.trustedroot.v0.1+json"};
constexpr std::size_t kCertificatesMax = 16;  // of one chain

std::string host_of(std::string_view url) {
  if (const auto scheme = url.find("://"); scheme != url.npos) url.remove_prefix(scheme + 3);
  return std::string(url.substr(0, url.find('/')));
}

// Without a start it cannot be told when the key came into use: the file is broken, not generous.
std::optional<TimeWindow> read_window(JsonFields owner) {
  auto fields = owner.object("validFor");
  const auto start = fields.time("start");
  const auto end = fields.time("end");
  if (!start) return std::nullopt;
  return TimeWindow{*start, end};
}

// Nothing for a log that has no start: it is of no use (11.6).
std::optional<TransparencyLog> read_log(JsonFields fields) {
  if (fields.text("hashAlgorithm") != "SHA2_256") fields.refuse("hashAlgorithm", "want SHA2_256");
  auto key_fields = fields.object("publicKey");
  auto key = PublicKey::parse_der(key_fields.bytes("rawBytes"));
  if (!key) key_fields.refuse("rawBytes", key.error().message);
  const auto window = read_window(key_fields);
  auto id = fields.object("logId").bytes("keyId");
  if (id.empty()) fields.refuse("logId.keyId", "is required");
  auto checkpoint_id = fields.object("checkpointKeyId").bytes("keyId");
  if (!key || !window) return std::nullopt;
  return TransparencyLog{.id = id,
                         .checkpoint_id = checkpoint_id.empty() ? id : checkpoint_id,
                         .host = host_of(fields.text("baseUrl")),
                         .key = std::move(*key),
                         .window = *window};
}

std::optional<Authority> read_authority(JsonFields fields) {
  Authority authority{.uri = fields.text("uri")};
  auto chain = fields.object("certChain");
  for (auto& item : chain.objects("certificates", kCertificatesMax)) {
    auto certificate = Certificate::parse_der(item.bytes("rawBytes"));
    if (certificate)
      authority.chain.push_back(std::move(*certificate));
    else
      item.refuse("rawBytes", certificate.error().message);
  }
  if (authority.chain.empty()) chain.refuse("certificates", "want at least one");
  const auto window = read_window(fields);
  if (!window) return std::nullopt;
  authority.window = *window;
  return authority;
}

template <class T>
std::vector<T> read_all(JsonFields& root, std::string_view key, std::optional<T> (*read)(JsonFields)) {
  std::vector<T> all;
  for (auto& item : root.objects(key, TrustedRoot::kItemsMax))
    if (auto one = read(item)) all.push_back(std::move(*one));
  return all;
}

const TransparencyLog* find(const std::vector<TransparencyLog>& logs, std::string_view id) {
  const auto found = std::find_if(logs.begin(), logs.end(), [id](const auto& log) { return log.id == id; });
  return found != logs.end() ? &*found : nullptr;
}

}  // namespace

std::string TimeWindow::str() const {
  return fmt::format("{} to {}", to_rfc3339(start), end ? to_rfc3339(*end) : "now");
}

std::string TransparencyLog::name() const { return host.empty() ? to_hex(id) : host; }

Result<TrustedRoot> TrustedRoot::parse(std::string_view json) {
  if (json.size() > kBytesMax)
    return fail(Kind::invalid, fmt::format("trusted root: want at most {} bytes, got {}", kBytesMax, json.size()));
  const auto value = parse_unambiguous_json(json);
  if (!value) return while_doing("trusted root", value.error());
  JsonFields fields(*value);
  if (std::find(std::begin(kMediaTypes), std::end(kMediaTypes), fields.text("mediaType")) == std::end(kMediaTypes))
    fields.refuse("mediaType", fmt::format("want {}", kMediaTypes[0]));
  TrustedRoot root;
  root.transparency_logs_ = read_all(fields, "tlogs", read_log);
  root.certificate_logs_ = read_all(fields, "ctlogs", read_log);
  root.certificate_authorities_ = read_all(fields, "certificateAuthorities", read_authority);
  root.timestamp_authorities_ = read_all(fields, "timestampAuthorities", read_authority);
  if (const auto status = fields.status(); !status) return while_doing("trusted root", status.error());
  root.fingerprint_ = "SHA256:" + sha256_hex(json);
  return root;
}

const TransparencyLog* TrustedRoot::transparency_log(std::string_view id) const { return find(transparency_logs_, id); }

const TransparencyLog* TrustedRoot::certificate_log(std::string_view id) const { return find(certificate_logs_, id); }

}  // namespace windlass
