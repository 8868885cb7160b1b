#include "config/schema.h"

#include <string_view>

#include "config/deploy_config.h"

namespace windlass {
namespace {

constexpr std::string_view kDialect = "https://json-schema.org/draft/2020-12/schema";

json::object typed(std::string_view type, std::string_view description) {
  return {{"type", type}, {"description", description}};
}

json::object with_default(json::object schema, json::value standard) {
  schema["default"] = std::move(standard);
  return schema;
}

json::object flag(bool standard, std::string_view description) {
  return with_default(typed("boolean", description), standard);
}

json::object texts(std::string_view description) {
  auto list = typed("array", description);
  list["items"] = json::object{{"type", "string"}};
  return list;
}

json::object members(json::object properties) {
  return {{"type", "object"}, {"additionalProperties", false}, {"properties", std::move(properties)}};
}

// "bool or object"
json::object switch_of(json::object properties, std::string_view description) {
  return {{"description", description},
          {"oneOf", json::array{json::object{{"type", "boolean"}}, members(std::move(properties))}}};
}

json::object whole_number(int least, int most, int standard, std::string_view description) {
  auto number = with_default(typed("integer", description), standard);
  number["minimum"] = least;
  if (most > least) number["maximum"] = most;
  return number;
}

json::object rollback() {
  auto on = texts("which failures count");
  on["items"] = json::object{{"enum", {"unhealthy", "failed", "timeout"}}};
  return switch_of({{"enabled", flag(true, "false switches it off")},
                    {"on", std::move(on)},
                    {"keep", whole_number(1, 100, 5, "good releases whose content is kept")},
                    {"stable_for", with_default(typed("string", "a release is good only after so long"), "10s")}},
                   "go back to the last good release when this one fails");
}

json::object destroy() {
  return switch_of({{"enabled", flag(false, "take the stack down")},
                    {"remove_volumes", flag(true, "its volumes")},
                    {"remove_images", flag(true, "images that nobody else needs")},
                    {"remove_dir", flag(true, "what releases put into the live directory")},
                    {"remove_data", flag(false, "and what others wrote into it")}},
                   "take the stack down instead of deploying it");
}

json::object auto_discovery() {
  return switch_of({{"enabled", flag(false, "look for stacks")},
                    {"depth", whole_number(0, 0, 0, "levels below working_dir; 0 is all")},
                    {"delete", flag(false, "take stacks down whose folder is gone")},
                    {"remove_volumes", flag(false, "with their volumes")},
                    {"remove_images", flag(true, "with images that nobody else needs")},
                    {"delete_all", flag(false, "also when all of them are gone at once")}},
                   "a stack in every folder with a compose file");
}

json::object reconciliation() {
  auto events = texts("what is answered: die, destroy and update by a new container, the others by a restart");
  events["items"] =
      json::object{{"enum", {"die", "destroy", "remove", "delete", "update", "stop", "kill", "oom", "unhealthy"}}};
  events["default"] = {"unhealthy"};
  return switch_of(
      {{"enabled", flag(true, "false switches it off")},
       {"events", std::move(events)},
       {"restart_timeout", whole_number(0, 3600, 10, "seconds from the stop signal to SIGKILL")},
       {"restart_signal", with_default(typed("string", "instead of the container's own"), "")},
       {"restart_limit", whole_number(0, 0, 5, "restarts of one service within the window; 0 is no limit")},
       {"restart_window", whole_number(0, 0, 300, "seconds")}},
      "bring containers back that changed by themselves");
}

json::object build() {
  auto args = typed("object", "build arguments, over those of the compose files");
  args["additionalProperties"] = json::object{{"type", {"string", "number", "boolean", "null"}}};
  auto rule = members({{"force_image_pull", flag(false, "pull base images")},
                       {"no_cache", flag(false, "build every step again")},
                       {"quiet", flag(false, "no output of builds")},
                       {"args", std::move(args)}});
  rule["description"] = "how images of services with a build are made";
  return rule;
}

json::object external_secrets() {
  auto reference = members({{"store_ref", typed("string", "name of the store")},
                            {"remote_ref", typed("object", "what the templates of the store ask for")}});
  reference["required"] = json::array{"store_ref"};
  auto secrets = typed("object", "variables whose values are fetched from SECRET_PROVIDER, over those of environment");
  secrets["additionalProperties"] = json::object{
      {"oneOf", json::array{json::object{{"type", {"string", "number", "boolean"}}}, std::move(reference)}}};
  return secrets;
}

json::object deploy_properties() {
  auto name = typed("string", "name of the stack");
  name["pattern"] = "^[a-z0-9][a-z0-9_-]*$";
  auto environment = typed("object", "values for ${…} in the compose files");
  environment["additionalProperties"] = json::object{{"type", {"string", "number", "boolean", "null"}}};
  auto source = typed("string", "where the deployment comes from");
  source["enum"] = {"git", "oci"};
  auto version = with_default(typed("string", "layout of the artifact"), "doco.v1");
  version["enum"] = {"doco.v1"};
  return {{"name", std::move(name)},
          {"source", std::move(source)},
          {"version", std::move(version)},
          {"reference", typed("string", "the artifact's tag or digest always counts")},
          {"working_dir", with_default(typed("string", "folder of the compose files, relative to the artifact"), ".")},
          {"context", with_default(typed("string", "Docker context of the engine that the stack runs on"), "")},
          {"remote_paths", flag(false, "an engine on another machine has the data folder at the same path")},
          {"compose_files", texts("compose files, relative to working_dir")},
          {"environment", std::move(environment)},
          {"external_secrets", external_secrets()},
          {"env_files", texts("files with values for ${…}; later ones win")},
          {"profiles", texts("compose profiles")},
          {"remove_orphans", flag(true, "remove containers of services that are no longer there")},
          {"force_recreate", flag(false, "recreate every service at every run")},
          {"force_image_pull", flag(false, "pull at every run")},
          {"prune_images", flag(true, "remove images of old releases that nothing needs any more")},
          {"adopt", flag(false, "take over a stack of that name which belongs to somebody else")},
          {"build", build()},
          {"timeout", whole_number(0, kTimeoutSecondsMax, 180, "seconds until every service must be healthy")},
          {"webhook_filter", typed("string", "RE2 expression over the tag")},
          {"rollback", rollback()},
          {"reconciliation", reconciliation()},
          {"auto_discovery", auto_discovery()},
          {"destroy", destroy()}};
}

json::object deployment(bool is_inline) {
  auto properties = deploy_properties();
  if (is_inline) properties["oci"] = typed("object", "what is demanded of the artifact: docs/trust.md");
  return members(std::move(properties));
}

}  // namespace

json::object deploy_schema() {
  auto schema = deployment(false);
  schema["$schema"] = kDialect;
  schema["title"] = "windlass deploy configuration";
  return schema;
}

json::object poll_schema() {
  auto deployments = typed("array", "in place of the artifact's own deploy configuration");
  deployments["items"] = deployment(true);
  auto source = typed("string", "where the artifact is");
  source["enum"] = {"oci"};
  auto entry = members({{"source", std::move(source)},
                        {"url", typed("string", "registry/repository:tag, or with @digest")},
                        {"reference", typed("string", "the tag or digest of url always counts")},
                        {"interval", with_default({{"type", {"integer", "string"}},
                                                   {"description", "seconds, or 90s, 5m, 1h30m; 0: never by itself"}},
                                                  180)},
                        {"target", typed("string", "reads .doco-cd.TARGET.yaml")},
                        {"run_once", flag(false, "once at the start")},
                        {"watch", flag(true, "of Git sources on this machine")},
                        {"deployments", std::move(deployments)}});
  entry["required"] = {"source", "url"};
  return {
      {"$schema", kDialect}, {"title", "windlass poll configuration"}, {"type", "array"}, {"items", std::move(entry)}};
}

}  // namespace windlass
