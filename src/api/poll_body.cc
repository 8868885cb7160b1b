#include "api/poll_body.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "config/key_reader.h"
#include "config/poll_config.h"
#include "config/yaml_from_json.h"
#include "oci/reference.h"
#include "source/poll_request.h"
#include "sys/http_answers.h"

namespace windlass {
namespace {

Status is_artifact(std::string_view text) {
  const auto reference = Reference::parse(text);
  return reference ? Status() : tl::unexpected(reference.error());
}

struct Entry {
  PollConfig config;
  PollFaults faults;
};

// Without a place of its own: the index is told by the answer.
Entry decode(const YamlNode& node, bool strict) {
  Entry entry;
  entry.config = decode_poll_config(node, "", PollOrigin::request, is_artifact, entry.faults);
  if (strict) std::ranges::move(std::exchange(entry.faults.warnings, {}), std::back_inserter(entry.faults.invalid));
  return entry;
}

// What the decoder says of YAML in front of it is not for a reader of JSON.
std::string reason_of(const std::vector<std::string>& faults) {
  std::vector<std::string> plain;
  for (std::string_view fault : faults) {
    if (fault.starts_with(kUndecodable)) fault.remove_prefix(kUndecodable.size());
    plain.emplace_back(fault);
  }
  return join(plain, "; ");
}

}  // namespace

tl::expected<PollBody, ServerResponse> read_poll_body(std::string_view body, bool strict, std::string_view job_id) {
  const auto refused = [&](std::string_view error, std::string_view content) {
    return tl::unexpected(error_answer(400, error, content, job_id));
  };
  const auto undecodable = [&](std::string_view why) { return refused("failed to decode json in body", why); };  // E7
  if (trim(body).empty()) return undecodable("EOF");
  const auto value = parse_json(body);
  if (!value) return undecodable(value.error().message);
  if (!value->is_array()) return undecodable("expected an array of poll configurations");

  const auto file = yaml_from_json(*value, JsonKeys::any_case);
  std::vector<Entry> entries;
  for (const auto* node : file.documents.front()->items) entries.push_back(decode(*node, strict));
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (const auto& faults = entries[i].faults.undecodable; !faults.empty())
      return undecodable(fmt::format("entry {}: {}", i, reason_of(faults)));
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (const auto& faults = entries[i].faults.invalid; !faults.empty())
      return refused(fmt::format("invalid poll configuration at index {}", i), reason_of(faults));  // E8
  if (entries.empty()) return refused("no poll configuration provided in request body", "");        // E9

  PollBody result;
  for (auto& [config, faults] : entries) {
    result.requests.push_back(*poll_request(config));
    std::ranges::move(faults.warnings, std::back_inserter(result.warnings));
  }
  return result;
}

}  // namespace windlass
