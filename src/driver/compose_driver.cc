#include "driver/compose_driver.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <mutex>
#include <set>

#include "base/clock.h"
#include "base/text.h"
#include "driver/child_environment.h"
#include "driver/model_variables.h"
#include "driver/tool_output.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kModelBytesMax = 16 << 20;
constexpr std::pair<int, int> kOldestVersion{2, 26};  // deploy/X11
constexpr std::string_view kCredentialsHint =         // deploy/C6
    " (the registry wants credentials: they are taken from config.json in the folder DOCKER_CONFIG, which docker login "
    "writes)";

std::string variable_in(const std::map<std::string, std::string>& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

// "v2.26.1-4" -> "2.26.1"
std::string plain_version(std::string_view text) {
  text = trim(text);
  if (text.starts_with('v')) text.remove_prefix(1);
  return std::string(text.substr(0, text.find_first_not_of("0123456789.")));
}

std::vector<int> numbers(std::string_view version) {
  std::vector<int> result;
  for (auto part : split(version, '.')) {
    int number = 0;
    std::from_chars(part.data(), part.data() + part.size(), number);
    result.push_back(number);
  }
  result.resize(3);
  return result;
}

// CVE-2025-62725: an artifact named by an oci:// include could write outside its folder (deploy/X11b).
bool is_unsafe_with_oci_includes(std::string_view version) {
  const auto parts = numbers(version);
  return parts >= std::vector{2, 34, 0} && parts <= std::vector{2, 40, 1};
}

// Its option --insecure-registry, which no help text shows. Older ones end when they are given it.
bool knows_insecure_registries(std::string_view version) { return numbers(version) >= std::vector{5, 0, 0}; }

// Older ones let hooks of services pass and do not run them (deploy/H3).
bool runs_hooks(std::string_view version) { return numbers(version) >= std::vector{2, 30, 0}; }

const json::object& services_of(const json::object& model) {
  static const json::object none;
  const auto* services = object_of(model, "services");
  return services == nullptr ? none : *services;
}

// The model holds only services whose profiles are active: all that are named in it are to stay so.
std::set<std::string> profiles_in(const json::object& model) {
  std::set<std::string> profiles;
  for (const auto& service : services_of(model))
    if (const auto* members = service.value().if_object())
      if (const auto* names = array_of(*members, "profiles"))
        for (const auto& name : *names)
          if (name.is_string()) profiles.emplace(name.as_string());
  return profiles;
}

void mask_values(const std::map<std::string, std::string>& variables, Masks& masks) {
  for (const auto& [name, value] : variables) masks.add(value);
}

void mask_values(const json::object& object, std::string_view key, Masks& masks) {
  if (const auto* values = object_of(object, key))
    for (const auto& value : *values)
      if (value.value().is_string()) masks.add(value.value().as_string());
}

// What came into the model from env files and interpolation: any of it may be secret.
void mask_environments(const json::object& model, Masks& masks) {
  for (const auto& service : services_of(model)) {
    const auto* members = service.value().if_object();
    if (members == nullptr) continue;
    mask_values(*members, "environment", masks);
    if (const auto* build = object_of(*members, "build")) mask_values(*build, "args", masks);
  }
}

// deploy/X18: they run programs beside windlass instead of containers.
Status refuse_providers(const json::object& model) {
  for (const auto& service : services_of(model))
    if (const auto* members = service.value().if_object(); members != nullptr && members->contains("provider"))
      return fail(Kind::invalid, fmt::format("policy: service {}: provider (ALLOW_PROVIDER_SERVICES=true lets it in)",
                                             printable(service.key(), 256)));
  return {};
}

// The tool has one exit code for most faults; its words tell which of them are worth another try.
Kind kind_of_failure(std::string_view step, std::string_view text) {
  const auto says = [&](std::string_view words) { return text.find(words) != text.npos; };
  if (says("Cannot connect to the Docker daemon") || says("error during connect")) return Kind::unavailable;
  if (step == "config" || step == "build") return Kind::invalid;
  if (step != "pull") return Kind::conflict;
  if (says("unauthorized") || says("access denied") || says("denied:") || says("no basic auth credentials"))
    return Kind::denied;
  if (says("not found") || says("manifest unknown")) return Kind::not_found;
  return Kind::unavailable;
}

class ComposeDriver final : public Driver {
 public:
  ComposeDriver(ComposeOptions options, ProcessRunner& runner, Log log)
      : options_(std::move(options)),
        runner_(runner),
        log_(std::move(log)),
        plugin_(find_compose_plugin(options_)),
        version_(options_.version) {}

  Result<json::object> resolve(const StackSpec& stack, const Deadline& deadline) override {
    warn_of_withheld(stack);
    auto call = prepare(stack.name, {stack.profiles.begin(), stack.profiles.end()}, stack.project_dir);
    put(child_environment({}, stack.environment).variables, call.command.environment);
    // It would hand all of these on: so it finds no git, and no helper of a registry's credentials.
    if (stack.is_local && plugin_) call.command.environment.erase("PATH");
    if (stack.is_local) switch_git_includes_off(call);
    mask_values(stack.environment, call.masks);
    call.oci_includes = stack.oci_includes;
    if (stack.is_local || stack.oci_includes == OciIncludes::refused) switch_oci_includes_off(call);
    call.is_local = stack.is_local;
    for (const auto& secret : stack.secrets) call.masks.add(secret.reveal());
    call.command.working_dir = stack.project_dir;
    call.command.output_bytes_max = kModelBytesMax;
    for (const auto& file : stack.compose_files) call.add({"-f", file});
    if (knows_insecure_registries(version()))
      for (const auto& registry : options_.insecure_registries) call.add({"--insecure-registry", registry});
    call.add({"config", "--format", "json"});
    call.shorten = stack.project_dir.string() + "/";  // a private copy; people know its files by their relative names
    auto exit = run("config", call, deadline);
    if (!exit) return tl::unexpected(exit.error());
    for (const auto& warning : warnings_in(exit->err))
      log_.warning("docker compose warns", {{"stack", stack.name}, {"warning", call.masks.apply(warning)}});
    if (exit->out_cut)
      return fail(Kind::invalid, fmt::format("docker compose config: the model is over {} bytes", kModelBytesMax));
    auto model = parse_json(exit->out);
    if (!model) return while_doing("docker compose config: reading its model", model.error());
    if (!model->is_object()) return fail(Kind::internal, "docker compose config: its model is not an object");
    if (!options_.providers)
      if (auto allowed = refuse_providers(model->as_object()); !allowed) return tl::unexpected(allowed.error());
    if (auto allowed = refuse_credentials(model->as_object()); !allowed) return tl::unexpected(allowed.error());
    warn_of_idle_hooks(stack.name, model->as_object());
    return std::move(model->as_object());
  }

  Status pull(const ResolvedStack& stack, const std::vector<std::string>& services, const Deadline& deadline) override {
    auto call = with_model(stack, stack.model, {});
    call.command.environment.merge(passed_credentials());
    call.add({"pull", "--quiet", "--ignore-buildable", "--"});
    return finish("pull", call.add(services), deadline);
  }

  Status build(const ResolvedStack& stack, const std::vector<std::string>& services, const BuildOptions& options,
               const Deadline& deadline) override {
    auto call = with_model(stack, without_credential_arguments(stack.model), {});
    call.command.environment.merge(passed_credentials());
    call.add({"build"});
    if (options.pull) call.add({"--pull"});
    if (options.no_cache) call.add({"--no-cache"});
    if (options.quiet) call.add({"--quiet"});
    call.add({"--"});
    return finish("build", call.add(services), deadline);
  }

  Status up(const ResolvedStack& stack, const UpOptions& options, const Deadline& deadline) override {
    auto call = with_model(stack, stack.model, options.project_dir);
    call.add({"up", "-d", "--no-build", "--pull", "never", "--quiet-pull"});
    if (options.remove_orphans) call.add({"--remove-orphans"});
    return finish("up", call, deadline);
  }

  Status down(const std::string& stack, const DownOptions& options, const Deadline& deadline) override {
    auto call = prepare(stack, {}, {});
    call.command.working_dir = "/";  // a compose file that lies about must not be taken for the stack's
    call.add({"down"});
    if (options.remove_orphans) call.add({"--remove-orphans"});
    if (options.remove_volumes) call.add({"--volumes"});
    return finish("down", call, deadline);
  }

  std::string version() const override {
    const std::lock_guard lock(mutex_);
    return version_;
  }

  Status check(const Deadline& deadline) override {
    Call call{.command = base_command(child_environment(options_.environment, {}).variables)};
    call.add({"version", "--short"});
    auto exit = run("version", call, deadline);
    if (!exit) return tl::unexpected(exit.error());
    const auto found = plain_version(exit->out);
    const auto parts = numbers(found);
    if (std::pair(parts[0], parts[1]) < kOldestVersion)
      return fail(Kind::invalid, fmt::format("docker compose {} is too old: {}.{} or newer is needed",
                                             printable(found.empty() ? trim(exit->out) : found, 64),
                                             kOldestVersion.first, kOldestVersion.second));
    if (is_unsafe_with_oci_includes(found))
      log_.warning(
          "docker compose has a path traversal with oci:// includes (CVE-2025-62725), which are refused: update it to "
          "2.40.2",
          {{"version", found}});
    const std::lock_guard lock(mutex_);
    version_ = found;
    return {};
  }

 private:
  struct Call {
    Command command;
    Masks masks;
    std::string shorten;  // left out of messages
    OciIncludes oci_includes = OciIncludes::allowed;
    bool is_local = false;

    Call& add(const std::vector<std::string>& arguments) {
      command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
      return *this;
    }
  };

  void warn_of_withheld(const StackSpec& stack) {
    const auto child = child_environment(options_.environment, stack.environment);
    if (!child.withheld.empty())
      log_.warning("environment keys that steer docker compose are not passed to it",
                   {{"stack", stack.name}, {"keys", join(child.withheld, ", ")}});
  }

  void warn_of_idle_hooks(const std::string& stack, const json::object& model) {
    const auto used = version();
    if (runs_hooks(used)) return;
    for (const auto& service : services_of(model))
      for (const auto* hook : {"post_start", "pre_stop"})
        if (const auto* members = service.value().if_object(); members != nullptr && members->contains(hook))
          log_.warning(
              "docker compose is too old to run the hooks of a service: 2.30.0 or newer does",
              {{"stack", stack}, {"service", printable(service.key(), 256)}, {"hook", hook}, {"version", used}});
  }

  Command base_command(std::map<std::string, std::string> environment) const {
    Command command{.program = plugin_ ? plugin_->string() : "docker", .environment = std::move(environment)};
    if (!plugin_) command.arguments.push_back("compose");
    return command;
  }

  // What a call that talks to registries gets besides.
  std::map<std::string, std::string> passed_credentials() const {
    return child_environment(options_.environment, {}).variables;
  }

  // What all calls begin with (deploy 1, X13). Without our credentials: the artifact's compose file can name them.
  Call prepare(const std::string& stack, const std::set<std::string>& profiles,
               const std::filesystem::path& project_dir) const {
    Call call{.command = base_command(without_credentials(child_environment(options_.environment, {}).variables))};
    if (is_unsafe_with_oci_includes(version())) switch_oci_includes_off(call);
    for (const auto& value : credentials_in(options_.environment)) call.masks.add(value);
    call.add({"--ansi", "never", "--progress", "plain", "-p", stack});
    if (!project_dir.empty()) call.add({"--project-directory", project_dir});
    call.add({"--env-file", "/dev/null"});
    for (const auto& profile : profiles) call.add({"--profile", profile});
    if (profiles.empty()) call.add({"--profile", ""});
    return call;
  }

  static void put(const std::map<std::string, std::string>& variables,
                  std::map<std::string, std::string>& environment) {
    for (const auto& [name, value] : variables) environment[name] = value;
  }

  // The tool itself then refuses every such include, however it is reached.
  static void switch_oci_includes_off(Call& call) {
    call.command.environment["COMPOSE_EXPERIMENTAL_OCI_REMOTE"] = "false";
  }

  static void switch_git_includes_off(Call& call) {
    call.command.environment["COMPOSE_EXPERIMENTAL_GIT_REMOTE"] = "false";
  }

  Call with_model(const ResolvedStack& stack, const json::object& model,
                  const std::filesystem::path& project_dir) const {
    auto call = prepare(stack.name, profiles_in(model), project_dir);
    auto own = with_own_names(model, stack.environment);
    put(own.variables, call.command.environment);
    mask_values(stack.environment, call.masks);
    mask_environments(model, call.masks);
    for (const auto& secret : stack.secrets) call.masks.add(secret.reveal());
    call.command.input = json::serialize(own.model);
    call.add({"-f", "-"});
    return call;
  }

  Status finish(std::string_view step, const Call& call, const Deadline& deadline) {
    auto exit = run(step, call, deadline);
    if (!exit) return tl::unexpected(exit.error());
    return {};
  }

  // A bad end is an error.
  Result<Exit> run(std::string_view step, const Call& call, const Deadline& deadline) {
    const auto span = std::chrono::round<std::chrono::seconds>(deadline.left());
    auto exit = runner_.run(call.command, deadline);
    const auto doing = fmt::format("docker compose {}", step);
    if (!exit) return while_doing(doing, exit.error());
    if (!options_.quiet && step != "config")
      log_.info("docker compose printed", {{"step", step}, {"output", call.masks.apply(exit->err)}});
    if (exit->timed_out)
      return fail(Kind::unavailable, deadline.stop.stop_requested()
                                         ? fmt::format("{}: stopped", doing)
                                         : fmt::format("{}: no end after {}", doing, to_go_duration(span)));
    if (exit->code == 0) return exit;
    return why_it_failed(step, call, *exit);
  }

  // In the tool's own words, without secrets; with what can be done about it, where that is known.
  tl::unexpected<Error> why_it_failed(std::string_view step, const Call& call, const Exit& exit) const {
    const auto doing = fmt::format("docker compose {}", step);
    auto text = error_text(log_.masked(call.masks.apply(without(exit.err, call.shorten))));
    if (exit.signal != 0)
      return fail(Kind::unavailable, fmt::format("{}: ended by signal {}: {}", doing, exit.signal, text));
    if (text.empty()) text = fmt::format("exit code {}", exit.code);
    const auto used = version();
    const bool is_include_refused = text.find("OCI remote resource is disabled") != text.npos;
    if (is_include_refused && call.oci_includes == OciIncludes::refused)
      return fail(Kind::denied, fmt::format("{}: oci:// includes are refused while OCI_TRUST_POLICY is enabled: nobody "
                                            "signed them with the artifact; verify_includes: false lets them in",
                                            doing));
    if (call.is_local && text.find("remote resource is disabled") != text.npos)
      return fail(Kind::denied,
                  fmt::format("{}: includes that lie elsewhere (oci://, git) are not followed for files that "
                              "are no artifact yet, nor with DEPLOY_POLICY=restricted",
                              doing));
    if (is_include_refused && is_unsafe_with_oci_includes(used))
      return fail(Kind::invalid,
                  fmt::format("{}: oci:// includes are refused with docker compose {} (CVE-2025-62725): update it to "
                              "2.40.2 or newer",
                              doing, used));
    if (step == "config" && !options_.insecure_registries.empty() && !knows_insecure_registries(used) &&
        text.find("server gave HTTP response to HTTPS client") != text.npos)
      text +=
          fmt::format(" (docker compose {} asks no registry of OCI_INSECURE_REGISTRIES in plain HTTP: 5.0 does)", used);
    const auto kind = kind_of_failure(step, text);
    if (step == "pull" && kind == Kind::denied) text += kCredentialsHint;
    return fail(kind, fmt::format("{}: {}", doing, text));
  }

  static std::string without(std::string text, std::string_view part) {
    if (part.size() < 2) return text;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at)) text.erase(at, part.size());
    return text;
  }

  ComposeOptions options_;
  ProcessRunner& runner_;
  Log log_;
  std::optional<std::filesystem::path> plugin_;
  mutable std::mutex mutex_;
  std::string version_;
};

}  // namespace

std::optional<std::filesystem::path> find_compose_plugin(const ComposeOptions& options) {
  std::vector<std::filesystem::path> folders;
  if (const auto config = variable_in(options.environment, "DOCKER_CONFIG"); !config.empty())
    folders.push_back(std::filesystem::path(config) / "cli-plugins");
  else if (const auto home = variable_in(options.environment, "HOME"); !home.empty())
    folders.push_back(std::filesystem::path(home) / ".docker" / "cli-plugins");
  folders.insert(folders.end(), options.plugin_folders.begin(), options.plugin_folders.end());
  for (const auto& folder : folders)
    if (const auto plugin = folder / "docker-compose"; access(plugin.c_str(), X_OK) == 0) return plugin;
  return std::nullopt;
}

std::unique_ptr<Driver> make_compose_driver(ComposeOptions options, ProcessRunner& runner, Log log) {
  return std::make_unique<ComposeDriver>(std::move(options), runner, std::move(log));
}

}  // namespace windlass
