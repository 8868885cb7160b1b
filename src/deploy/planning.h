// The plan of one stack: what its containers are compared with what they should be (deploy/N4, N17). Pure.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "deploy/recreate_ignore.h"
#include "docker/engine.h"
#include "model/plan.h"
#include "model/release.h"
#include "sys/json.h"

namespace windlass {

// What a model says about how a service runs.
struct ServiceShape {
  std::string name;
  int replicas = 1;
  std::string restart;       // "", "no", "always", "unless-stopped", "on-failure[:n]"
  bool is_provided = false;  // by a program beside compose (key `provider`): it has no containers
  bool must_end = false;     // another service starts only once it has ended well (C11)

  // restart: always or unless-stopped; only then a missing container is a reason to act (N17)
  bool must_run() const { return restart == "always" || restart == "unless-stopped"; }
};

// The services of a resolved model, by name.
std::vector<ServiceShape> service_shapes(const json::object& model);

// What compose calls the image of a service; one that is built need not name any.
std::string image_of(const std::string& stack, const std::string& service, const json::object& definition);

// Containers of a project by service, one-off and ephemeral ones left out.
using ContainersByService = std::map<std::string, std::vector<ContainerSummary>>;
ContainersByService by_service(const std::vector<ContainerSummary>& containers);

struct PlanQuestion {
  std::string stack;
  std::vector<ServiceShape> services;
  std::map<std::string, ServiceInputs> wanted;
  ContainersByService containers;
  // The inputs a release gave to a service; nothing if windlass knows no such release.
  std::function<std::optional<ServiceInputs>(const std::string& release_id, const std::string& service)> made_from;
  std::map<std::string, std::string> release_of;  // service -> the release that last made its containers
  std::map<std::string, RecreateIgnore> ignores;  // by service
  bool is_at_digest = false;  // labels say that the stack is what it is to be: what nobody has on record is taken over
  bool force_recreate = false;
  std::string recreate;  // a service that is made anew whatever it is like, unless other replicas of it run
  bool remove_orphans = true;
  bool last_release_failed = false;

  bool was_deployed_as_wanted(const std::string& service) const;
  // Is a change of this part of the service's inputs to be ignored?
  bool ignores_change(const std::string& service, std::string_view part) const;
};

StackPlan make_plan(const PlanQuestion& question);

// The release that made a container: as its label says, else, of one that doco-cd made, as is on record. "" if neither.
std::string release_of_container(const ContainerSummary& container, const std::string& service,
                                 const std::map<std::string, std::string>& release_of);

// What is wrong with the containers of a stack that should be as its last good release left them; nothing if all is
// well. `release_of`: service -> the release that made its containers. `keeps_orphans`: containers of services that
// the stack does not have may be there.
std::optional<std::string> mismatch(const std::vector<ServiceShape>& services, const ContainersByService& containers,
                                    const std::map<std::string, std::string>& release_of, bool keeps_orphans);

}  // namespace windlass
