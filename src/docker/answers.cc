#include "docker/answers.h"

#include "base/text.h"
#include "sys/json.h"

namespace windlass {
namespace {

constexpr std::size_t kErrorBytesMax = 2048;
constexpr int kRetriesByDefault = 3;  // the engine's, of a health check that names none

tl::unexpected<Error> not_an_answer(std::string_view what) {
  return fail(Kind::invalid, std::string(what) + " is not what an engine answers");
}

Result<json::object> parse_object(std::string_view body) {
  auto value = parse_json(body);
  if (!value) return tl::unexpected(value.error());
  if (!value->is_object()) return not_an_answer("the answer");
  return std::move(value->as_object());
}

std::string string_of(const json::object& object, std::string_view key) { return std::string(text_of(object, key)); }

std::int64_t number_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  const auto* number = value == nullptr ? nullptr : value->if_int64();
  return number == nullptr ? 0 : *number;
}

bool flag_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_bool() && value->as_bool();
}

const json::object& part_of(const json::object& object, std::string_view key) {
  static const json::object none;
  const auto* part = object_of(object, key);
  return part == nullptr ? none : *part;
}

Labels labels_of(const json::object& object, std::string_view key) {
  Labels labels;
  for (const auto& member : part_of(object, key))
    if (const auto* text = member.value().if_string()) labels[member.key()] = std::string(*text);
  return labels;
}

std::string without_slash(std::string_view name) {
  if (name.starts_with('/')) name.remove_prefix(1);
  return std::string(name);
}

Health parse_health(std::string_view text) {
  if (text == "starting") return Health::starting;
  if (text == "healthy") return Health::healthy;
  if (text == "unhealthy") return Health::unhealthy;
  return Health::none;
}

HealthChecks checks_of(const json::object& health, const json::object& healthcheck) {
  const auto retries = number_of(healthcheck, "Retries");
  HealthChecks checks{.failures = static_cast<int>(number_of(health, "FailingStreak")),
                      .retries = retries > 0 ? static_cast<int>(retries) : kRetriesByDefault};
  const auto* log = array_of(health, "Log");
  const auto* last = log == nullptr || log->empty() ? nullptr : log->back().if_object();
  if (last == nullptr) return checks;
  checks.exit_code = static_cast<int>(number_of(*last, "ExitCode"));
  checks.output = string_of(*last, "Output");
  return checks;
}

// A container linked by another has several names; its own is the one without a further slash.
std::string own_name(const json::object& container) {
  const auto* names = array_of(container, "Names");
  if (names == nullptr) return {};
  for (const auto& name : *names)
    if (name.is_string() && name.as_string().find('/', 1) == json::string::npos) return without_slash(name.as_string());
  return {};
}

std::vector<std::string> bind_sources_of(const json::object& container) {
  std::vector<std::string> sources;
  const auto* mounts = array_of(container, "Mounts");
  if (mounts == nullptr) return sources;
  for (const auto& mount : *mounts)
    if (const auto* entry = mount.if_object(); entry != nullptr && text_of(*entry, "Type") == "bind")
      sources.push_back(string_of(*entry, "Source"));
  return sources;
}

// In Docker's words: Podman says "remove" where Docker says "destroy", and how health is in a member of its own.
std::string action_of(const json::object& event) {
  auto action = string_of(event, "Action");
  if (action == "remove") return "destroy";
  if (action == "health_status") action += ": " + string_of(event, "HealthStatus");
  return action;
}

ContainerSummary to_summary(const json::object& container) {
  return {.id = string_of(container, "Id"),
          .name = own_name(container),
          .image = string_of(container, "Image"),
          .image_id = string_of(container, "ImageID"),
          .state = string_of(container, "State"),
          .labels = labels_of(container, "Labels"),
          .bind_sources = bind_sources_of(container)};
}

}  // namespace

Result<EngineVersion> parse_version(std::string_view body) {
  auto object = parse_object(body);
  if (!object) return tl::unexpected(object.error());
  return EngineVersion{string_of(*object, "ApiVersion"), string_of(*object, "MinAPIVersion")};
}

Result<EngineInfo> parse_info(std::string_view body) {
  auto object = parse_object(body);
  if (!object) return tl::unexpected(object.error());
  return EngineInfo{.swarm_manager = flag_of(part_of(*object, "Swarm"), "ControlAvailable"),
                    .version = string_of(*object, "ServerVersion")};
}

Result<std::vector<ContainerSummary>> parse_containers(std::string_view body) {
  auto value = parse_json(body);
  if (!value) return tl::unexpected(value.error());
  if (!value->is_array()) return not_an_answer("the list of containers");
  std::vector<ContainerSummary> containers;
  for (const auto& entry : value->as_array()) {
    if (!entry.is_object()) return not_an_answer("the list of containers");
    containers.push_back(to_summary(entry.as_object()));
  }
  return containers;
}

Result<std::vector<Volume>> parse_volumes(std::string_view body) {
  auto object = parse_object(body);
  if (!object) return tl::unexpected(object.error());
  std::vector<Volume> volumes;
  const auto* list = array_of(*object, "Volumes");  // null if there are none
  if (list == nullptr) return volumes;
  for (const auto& entry : *list) {
    if (!entry.is_object()) return not_an_answer("the list of volumes");
    const auto& volume = entry.get_object();
    volumes.push_back({string_of(volume, "Name"), string_of(volume, "Driver"), labels_of(volume, "Options"),
                       labels_of(volume, "Labels")});
  }
  return volumes;
}

Result<ContainerDetail> parse_container(std::string_view body) {
  auto object = parse_object(body);
  if (!object) return tl::unexpected(object.error());
  const auto& state = part_of(*object, "State");
  const auto& config = part_of(*object, "Config");
  if (state.empty()) return not_an_answer("a container without a state");
  ContainerDetail detail{
      .id = string_of(*object, "Id"),
      .name = without_slash(text_of(*object, "Name")),
      .image_id = string_of(*object, "Image"),
      .state = string_of(state, "Status"),
      .health = parse_health(text_of(part_of(state, "Health"), "Status")),
      .checks = checks_of(part_of(state, "Health"), part_of(config, "Healthcheck")),
      .exit_code = static_cast<int>(number_of(state, "ExitCode")),
      .oom_killed = flag_of(state, "OOMKilled"),
      .restart_count = static_cast<int>(number_of(*object, "RestartCount")),
      .tty = flag_of(config, "Tty"),
      .restart_policy = string_of(part_of(part_of(*object, "HostConfig"), "RestartPolicy"), "Name"),
      .error = string_of(state, "Error"),
      .started_at = string_of(state, "StartedAt"),
      .labels = labels_of(config, "Labels"),
  };
  if (const auto* mounts = array_of(*object, "Mounts"))
    for (const auto& mount : *mounts)
      if (const auto* entry = mount.if_object())
        detail.mounts.push_back({string_of(*entry, "Source"), string_of(*entry, "Destination"), flag_of(*entry, "RW")});
  return detail;
}

Result<std::string> parse_image_id(std::string_view body) {
  auto object = parse_object(body);
  if (!object) return tl::unexpected(object.error());
  auto id = string_of(*object, "Id");
  if (id.empty()) return not_an_answer("an image without an id");
  return id;
}

Result<EngineEvent> parse_event(std::string_view line) {
  auto object = parse_object(line);
  if (!object) return tl::unexpected(object.error());
  const auto& actor = part_of(*object, "Actor");
  return EngineEvent{.action = action_of(*object),
                     .container_id = string_of(actor, "ID"),
                     .attributes = labels_of(actor, "Attributes"),
                     .time_ns = number_of(*object, "timeNano")};
}

std::string parse_error(std::string_view body) {
  if (const auto object = parse_object(body); object && !text_of(*object, "message").empty())
    return printable(text_of(*object, "message"), kErrorBytesMax);
  return printable(trim(body), kErrorBytesMax);
}

}  // namespace windlass
