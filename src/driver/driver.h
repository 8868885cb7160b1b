// What brings a stack up: docker compose today, docker stack later. Nobody outside this folder asks which.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "base/secret.h"
#include "sys/json.h"

namespace windlass {

// Whether a stack may bring in compose files that lie in registries: nobody signed those with the artifact (oci 11.3).
enum class OciIncludes { allowed, refused };

// What a driver needs to know of a stack, all of it checked already.
struct StackSpec {
  std::string name;
  std::filesystem::path project_dir;  // where relative paths of the compose files start
  std::vector<std::filesystem::path> compose_files;
  std::vector<std::string> profiles;
  std::map<std::string, std::string> environment;  // for interpolation; values may be secret
  OciIncludes oci_includes = OciIncludes::allowed;
  bool is_local = false;          // nothing that its files bring in may lie elsewhere
  std::vector<Secret> secrets{};  // that stand in its files: never shown
};

// A stack as the tool is to bring it up. Secrets and configs with `environment:` are read from the environment only
// when containers are made, so a model goes with the one that it was resolved with.
struct ResolvedStack {
  std::string name;
  json::object model;
  std::map<std::string, std::string> environment;  // values may be secret
  std::vector<Secret> secrets{};                   // that stand in its files: never shown
};

struct UpOptions {
  bool remove_orphans = true;
  std::filesystem::path project_dir;  // as the engine's host sees it
  // The stack has the container that this process runs in, as this service; "": it has not.
  std::string own_service{};
  std::string own_order{};  // of that: what is done, the same when it is tried again
};

struct BuildOptions {
  bool pull = false;  // base images, though they are there
  bool no_cache = false;
  bool quiet = false;
};

struct DownOptions {
  bool remove_orphans = true;
  bool remove_volumes = false;
};

struct Driver {
  virtual ~Driver() = default;
  // The resolved model as JSON (X1). Kind::invalid with the tool's own words when the files are wrong.
  virtual Result<json::object> resolve(const StackSpec& stack, const Deadline& deadline) = 0;
  // Pulls the images of these services of the model (X2). Kind::unavailable or not_found with the tool's own words.
  virtual Status pull(const ResolvedStack& stack, const std::vector<std::string>& services,
                      const Deadline& deadline) = 0;
  // Builds the services that have a `build` (X3).
  virtual Status build(const ResolvedStack& stack, const std::vector<std::string>& services,
                       const BuildOptions& options, const Deadline& deadline) = 0;
  // Creates, recreates what diverged, starts in dependency order; does not wait for health (X4, X5).
  virtual Status up(const ResolvedStack& stack, const UpOptions& options, const Deadline& deadline) = 0;
  // Stops and removes the containers and networks of the stack, known by its name alone, and its volumes if asked (X7).
  virtual Status down(const std::string& stack, const DownOptions& options, const Deadline& deadline) = 0;
  // "2.26.1": part of what decides whether a stack is unchanged (deploy/N2b). Known after check().
  virtual std::string version() const = 0;
  // Once at start (X11): the tool is there and new enough; else an error that names both versions.
  virtual Status check(const Deadline& deadline) = 0;
};

}  // namespace windlass
