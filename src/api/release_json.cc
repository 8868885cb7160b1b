#include "api/release_json.h"

#include "api/json_fields.h"
#include "sys/json.h"

namespace windlass {
namespace {

json::object loop_object(const StackLoop& loop) {
  json::array differences;
  for (const auto& difference : loop.differences) differences.emplace_back(proper(difference));
  json::object object{{"deployments", loop.deployments},
                      {"recreated", loop.recreated},
                      {"looping", loop.looping_since.has_value()},
                      {"differences", std::move(differences)}};
  add_if_set(object, "looping_since", loop.looping_since);
  return object;
}

json::object release_object(const Release& release) {
  const auto& request = release.request;
  json::array reasons;
  for (const auto& reason : release.reasons) reasons.emplace_back(proper(reason));
  json::object images;
  for (const auto& [service, id] : release.images) images[service] = id;

  json::object object{{"id", release.id},
                      {"stack", release.stack.name},
                      {"context", release.stack.context},
                      {"source", request.source_id},
                      {"reference", request.ref},
                      {"digest", release.digest},
                      {"state", to_string(release.state)},
                      {"plan", proper(release.plan)},
                      {"reasons", std::move(reasons)},
                      {"trigger", to_string(request.trigger)},
                      {"job_id", release.job_id},
                      {"started_at", to_rfc3339(release.started_at)}};
  add_if_set(object, "finished_at", release.finished_at);
  add_if_set(object, "target", request.target);
  add_if_set(object, "cause", request.cause);
  add_if_set(object, "message", release.message);
  if (!images.empty()) object["images"] = std::move(images);
  if (release.loop) object["loop"] = loop_object(*release.loop);
  return object;
}

}  // namespace

std::string to_json(const Release& release) { return json::serialize(release_object(release)); }

std::string to_json(const std::vector<Release>& releases) {
  json::array array;
  for (const auto& release : releases) array.push_back(release_object(release));
  return json::serialize(array);
}

}  // namespace windlass
