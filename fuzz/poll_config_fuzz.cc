// POLL_CONFIG and the inline deployments in it (config 5 and 11, reliability 8).
#include "config/inline_deployments.h"
#include "config/poll_config.h"
#include "fuzz/fuzz.h"
#include "oci/reference.h"
#include "sys/json.h"

namespace windlass {
namespace {

Status check_artifact(std::string_view text) {
  const auto reference = Reference::parse(text);
  return reference ? Status() : tl::unexpected(reference.error());
}

void check_entry(const PollConfig& entry) {
  require(Reference::parse(entry.url).has_value(), "an entry names an artifact");
  require(entry.interval.count() == 0 || entry.interval.count() >= 10, "an interval is 10 seconds or none");
  require(
      entry.target.find_first_of(std::string_view("/\\\0", 3)) == entry.target.npos && !entry.target.starts_with("."),
      "a target names no other file");
  if (entry.deployments.empty()) return;
  const auto value = parse_json(entry.deployments);
  require(value && canonical_json(*value) == entry.deployments, "inline deployments are canonical");
  const auto deployments = read_inline_deployments(entry.deployments);
  require(deployments && !deployments->stacks.empty(), "and are read again");
}

}  // namespace

void fuzz(std::string_view input) {
  PollFaults faults;
  const auto entries = read_poll_configs(input, "POLL_CONFIG", check_artifact, faults);
  for (const auto* texts : {&faults.undecodable, &faults.invalid, &faults.warnings})
    for (const auto& text : *texts) require_printable(text);
  if (faults.any()) return;
  for (const auto& entry : entries) check_entry(entry);
}

}  // namespace windlass
