// What the engine answers, as values. Members that we do not know are passed over; one that is missing is empty.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "docker/engine.h"

namespace windlass {

struct EngineVersion {
  std::string api_version;
  std::string min_api_version;
};

Result<EngineVersion> parse_version(std::string_view body);
Result<EngineInfo> parse_info(std::string_view body);
Result<std::vector<ContainerSummary>> parse_containers(std::string_view body);
Result<std::vector<Volume>> parse_volumes(std::string_view body);
Result<ContainerDetail> parse_container(std::string_view body);
Result<std::string> parse_image_id(std::string_view body);
Result<EngineEvent> parse_event(std::string_view line);
// The "message" of an error answer; the start of the body when it is something else.
std::string parse_error(std::string_view body);

}  // namespace windlass
