// The Engine API on its socket, as far as windlass speaks it itself (deploy 2).
//
// The version is negotiated once per endpoint, and again after the engine was away: the lower of ours and the server's,
// never below the server's minimum; DOCKER_API_VERSION overrides. Everything else is for `docker compose` (driver/).
//
// Errors read "docker engine at <host>: <cause>". Kind::unavailable: not there, cut off, or 5xx; not_found, conflict
// and denied as the engine answers; invalid: an answer that no engine gives, or a version that does not fit.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "docker/labels.h"
#include "sys/http_client.h"
#include "sys/json.h"

namespace windlass {

// A container as GET /containers/json lists it.
struct ContainerSummary {
  std::string id;
  std::string name;   // without the leading slash
  std::string image;  // as written in the model
  std::string image_id;
  std::string state;  // created, running, paused, restarting, removing, exited, dead
  Labels labels;
  std::vector<std::string> bind_sources;  // paths of the host that it mounts

  std::string label(std::string_view key) const { return label_of(labels, key); }  // "" if it has none
};

enum class Health { none, starting, healthy, unhealthy };

// What the engine remembers of a container's health checks.
struct HealthChecks {
  std::optional<int> exit_code;  // of the last one, -1 if it could not run or had to be ended; nothing: none has ended
  std::string output;            // of the last one
  int failures = 0;              // in a row; those of the start period do not count
  int retries = 0;               // so many failures make the container unhealthy
};

// A container as GET /containers/{id}/json describes it.
struct ContainerDetail {
  std::string id;
  std::string name;
  std::string image_id;
  std::string state;
  Health health = Health::none;
  HealthChecks checks;
  int exit_code = 0;
  bool oom_killed = false;
  int restart_count = 0;
  bool tty = false;            // its output is one raw stream
  std::string restart_policy;  // "", "no", "always", "unless-stopped", "on-failure"
  std::string error;           // the engine's own text, for example when a start was refused
  std::string started_at;      // as the engine writes it
  Labels labels;
  struct Mount {
    std::string source;
    std::string destination;
    bool writable = false;
  };
  std::vector<Mount> mounts;
};

// A volume as GET /volumes lists it.
struct Volume {
  std::string name;
  std::string driver;
  std::map<std::string, std::string> options;  // values may be secret: the password of a share
  Labels labels;
};

struct EngineEvent {
  std::string action;  // "start", "die", "health_status: healthy", …
  std::string container_id;
  Labels attributes;  // labels of the container, exitCode, name, image
  std::int64_t time_ns = 0;
};

struct EngineInfo {
  bool swarm_manager = false;  // Swarm.ControlAvailable
  std::string version;
  std::string api_version;  // the one that is spoken
};

// An open event stream: next() gives events until it is closed.
class EventStream {
 public:
  virtual ~EventStream() = default;
  // The next event; nothing when the deadline passes first. Kind::unavailable when the stream ended.
  virtual Result<std::optional<EngineEvent>> next(const Deadline& deadline) = 0;
};

struct Engine {
  virtual ~Engine() = default;
  // HEAD /_ping within 800 ms (api/E45).
  virtual Status ping() = 0;
  virtual Result<EngineInfo> info(const Deadline& deadline) = 0;
  // All states, with every one of these "key=value" or "key" labels.
  virtual Result<std::vector<ContainerSummary>> containers(const std::vector<std::string>& labels,
                                                           const Deadline& deadline) = 0;
  // Those of them that are unhealthy.
  virtual Result<std::vector<ContainerSummary>> unhealthy_containers(const std::string& label,
                                                                     const Deadline& deadline) = 0;
  // All states, that mount the volume of this name.
  virtual Result<std::vector<ContainerSummary>> containers_with_volume(const std::string& volume,
                                                                       const Deadline& deadline) = 0;
  // With every one of these labels.
  virtual Result<std::vector<Volume>> volumes(const std::vector<std::string>& labels, const Deadline& deadline) = 0;
  // Removes a volume and what it holds. Kind::conflict while a container has it.
  virtual Status remove_volume(const std::string& name, const Deadline& deadline) = 0;
  virtual Result<ContainerDetail> inspect(const std::string& id, const Deadline& deadline) = 0;
  // The last lines a container wrote to stdout and stderr, demultiplexed, at most 16 KiB.
  virtual Result<std::string> last_logs(const std::string& id, int lines, const Deadline& deadline) = 0;
  // The id of a local image; Kind::not_found if the engine has none of that name.
  virtual Result<std::string> image_id(const std::string& reference, const Deadline& deadline) = 0;
  // Gives a local image another name, `reference` with or without a tag; the name is taken from the image that has it.
  virtual Status tag_image(const std::string& id, const std::string& reference, const Deadline& deadline) = 0;
  // Takes the name from its image, which goes with its last name, unless something uses it: Kind::conflict. By id it
  // goes with its names, unless they are of several repositories: Kind::conflict.
  virtual Status remove_image(const std::string& reference, const Deadline& deadline) = 0;
  // Sends a signal, "HUP", "SIGHUP" or "1", to a container's first process; Kind::conflict if it is not running.
  virtual Status signal(const std::string& id, const std::string& signal, const Deadline& deadline) = 0;
  // Stops a container with its own signal and after its own grace period SIGKILL; good if it does not run.
  virtual Status stop(const std::string& id, const Deadline& deadline) = 0;
  // Removes a container, running or not; its volumes stay.
  virtual Status remove(const std::string& id, const Deadline& deadline) = 0;
  virtual Status rename(const std::string& id, const std::string& name, const Deadline& deadline) = 0;
  // Stops a container that runs, with `signal` ("": its own) and after so many seconds SIGKILL, and starts it.
  // Kind::not_found if it is gone, Kind::conflict if it is being removed.
  virtual Status restart(const std::string& id, int timeout_seconds, const std::string& signal,
                         const Deadline& deadline) = 0;
  // The same container as the engine describes it, for container_spec.h.
  virtual Result<json::object> inspect_json(const std::string& id, const Deadline& deadline) = 0;
  // Makes a container of that name from the body of POST /containers/create; its id. Kind::conflict if the name is
  // taken.
  virtual Result<std::string> create(const std::string& name, const json::object& body, const Deadline& deadline) = 0;
  // Good if it runs already.
  virtual Status start(const std::string& id, const Deadline& deadline) = 0;
  // Runs a program in a container and waits for its end: its exit code. Kind::not_found if the container is gone,
  // Kind::conflict if it does not run, another one if the program cannot be started.
  virtual Result<int> execute(const std::string& id, const std::vector<std::string>& command,
                              const Deadline& deadline) = 0;
  // Puts a container into a network besides those that it is in.
  virtual Status connect(const std::string& network, const std::string& id, const json::object& endpoint,
                         const Deadline& deadline) = 0;
  // Events from now on of containers with this "key=value" or "key" label: "start", "die", "health_status" for either
  // kind of it, … The engine listens for us already when this returns, so whatever happens afterwards is heard of.
  virtual Result<std::unique_ptr<EventStream>> events(const std::string& label, const std::vector<std::string>& actions,
                                                      const Deadline& deadline) = 0;
};

struct EngineOptions {
  std::string docker_host = "unix:///var/run/docker.sock";  // unix:// or tcp://; with TLS for tcp if tls_dir is set
  std::string tls_dir;                                      // DOCKER_CERT_PATH: ca.pem, cert.pem, key.pem
  bool tls_verify = false;                                  // DOCKER_TLS_VERIFY
  std::string api_version;                                  // DOCKER_API_VERSION, empty: negotiate
};

// Kind::invalid "unsupported DOCKER_HOST scheme: <value>" for other schemes (api/E43), and for an api_version that is
// none.
Status check_engine_options(const EngineOptions& options);

struct DockerContext;
// The engine of a Docker context. `environment`: of this process, for ssh. Errors of endpoint_of() (endpoint.h). Does
// not connect yet.
Result<std::unique_ptr<Engine>> make_context_engine(const DockerContext& context,
                                                    const std::map<std::string, std::string>& environment,
                                                    std::string api_version, HttpTransport& transport);

// Errors of check_engine_options(). Does not connect yet.
Result<std::unique_ptr<Engine>> make_engine(EngineOptions options, HttpTransport& transport);

}  // namespace windlass
