#include "deploy/prepared_stack.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/mask_forms.h"
#include "base/text.h"
#include "config/compose_paths.h"
#include "deploy/deploy_policy.h"
#include "deploy/discovery_labels.h"
#include "deploy/half_recreated.h"
#include "deploy/labels.h"
#include "deploy/model_changes.h"
#include "deploy/model_paths.h"
#include "deploy/not_interpolated.h"
#include "deploy/one_time_values.h"
#include "deploy/service_inputs.h"
#include "deploy/unbuilt_labels.h"

namespace windlass {
namespace {

constexpr auto kResolveTimeout = std::chrono::seconds(60);

std::filesystem::path beneath(const std::filesystem::path& root, const std::string& relative) {
  return relative.empty() || relative == "." ? root : root / relative;
}

// deploy/N5: the whole model without the labels that say nothing about it. Keyed, because it covers secret values.
std::string compose_hash(const std::map<std::string, ServiceInputs>& inputs, InputHasher& hasher) {
  std::string text;
  for (const auto& [service, parts] : inputs)
    for (const auto& [part, hash] : parts) text += fmt::format("{}\n{}\n{}\n", service, part, hash);
  return hasher.hash(text);
}

// Into the model, not onto a command line: they may be secret. A changed one is a change of the service.
void put_build_arguments(json::object& model, const std::map<std::string, std::string>& arguments) {
  auto* services = model.contains("services") ? model["services"].if_object() : nullptr;
  if (services == nullptr || arguments.empty()) return;
  for (auto& member : *services) {
    auto* service = member.value().if_object();
    auto* build = service == nullptr || !service->contains("build") ? nullptr : (*service)["build"].if_object();
    if (build == nullptr) continue;
    auto& target = (*build)["args"];
    if (!target.is_object()) target = json::object();
    for (const auto& [name, value] : arguments) target.get_object()[name] = not_interpolated(value);
  }
}

// Values that `command`, labels and so on may hold. An artifact's own are no secret: whoever may fetch it reads them.
std::vector<Secret> inline_variables(const DeployConfig& config) {
  std::vector<Secret> values;
  if (!config.is_inline) return values;
  for (const auto& [name, value] : config.environment) {
    if (value.size() < kMaskBytesMin) continue;
    values.emplace_back(value);
    if (value.find('$') != value.npos) values.emplace_back(not_interpolated(value));  // so it stands in the model
  }
  return values;
}

}  // namespace

std::vector<Secret> PreparedStack::secrets() const {
  auto secrets = encrypted ? encrypted->values() : std::vector<Secret>();
  for (const auto& [name, value] : external_secrets.values)
    if (!value.empty()) secrets.push_back(value);
  return secrets;
}

StackPreparer::StackPreparer(Options options, Driver& driver, Engine& engine, ReleaseStore& releases)
    : options_(std::move(options)),
      driver_(driver),
      engine_(engine),
      releases_(releases),
      ownership_(options_.instance, options_.adoptable, engine, releases) {}

Result<PreparedStack> StackPreparer::prepare(const DeployConfig& config, const StackSecrets& secrets,
                                             const UnpackedTree& tree, const std::shared_ptr<EncryptedFiles>& encrypted,
                                             const std::string& host_root, OciIncludes oci_includes, bool is_local,
                                             const Deadline& deadline) {
  PreparedStack stack{.config = config, .external_secrets = secrets, .encrypted = encrypted};
  const auto source = encrypted->source(tree);
  const auto& folder = encrypted->folder();
  auto files = find_compose_files(tree.root, config);
  if (!files) return tl::unexpected(files.error());
  for (const auto& file : *files)
    if (auto good = check_compose_file(source, file); !good) return tl::unexpected(good.error());
  if (options_.restricted)  // before the tool reads them
    if (auto good = check_compose_paths(source, config.working_dir, *files); !good) return tl::unexpected(good.error());
  auto with_secrets = config;
  for (const auto& [name, value] : secrets.values)
    with_secrets.environment[name] = secrets.one_time.contains(name) ? one_time_stand_in(name) : value.reveal();
  auto environment = interpolation_environment(source, with_secrets, options_.process_env);
  if (!environment) return tl::unexpected(environment.error());

  StackSpec spec{.name = config.name,
                 .project_dir = beneath(folder, config.working_dir),
                 .profiles = config.profiles,
                 .environment = std::move(*environment),
                 .oci_includes = oci_includes,
                 .is_local = is_local || options_.restricted,  // there check_compose_paths() has seen to it
                 .secrets = stack.secrets()};
  for (const auto& file : *files) spec.compose_files.push_back(folder / file);
  auto model = driver_.resolve(spec, deadline.within(kResolveTimeout));
  if (!model) return tl::unexpected(encrypted->explain(model.error()));
  stack.environment = std::move(spec.environment);
  if (options_.restricted)
    if (auto good = check_restricted(*model, config.name, folder.string()); !good) return tl::unexpected(good.error());
  if (auto built = refuse_unbuilt_labels(*model); !built) return tl::unexpected(built.error());

  erase_deployers_labels(*model);
  put_build_arguments(*model, config.build.args);
  json::value moved = std::move(*model);
  move_paths(moved, folder.string(), host_root);
  if (folder != tree.root) move_paths(moved, tree.root.string(), host_root);  // should the tool follow a link
  stack.model = std::move(moved.get_object());
  auto ignores = recreate_ignores(stack.model);
  if (!ignores) return tl::unexpected(ignores.error());
  stack.ignores = *std::move(ignores);
  stack.in_place = files_kept_in_place(stack.model, stack.ignores, host_root);
  auto plain = encrypted->mounted(stack.model, host_root, tree);
  if (!plain) return tl::unexpected(plain.error());
  stack.plain = *std::move(plain);
  stack.live_root = host_root;
  stack.staged_root = tree.root.string();
  stack.working_dir = beneath(host_root, config.working_dir).string();
  stack.services = service_shapes(stack.model);
  InputHasher hasher(options_.hash_key);
  stack.wanted = service_inputs(stack.model, stack.environment, tree, host_root, hasher, stack.plain);
  if (options_.is_remote && !config.remote_paths) {
    auto contents = contents_to_send(stack.model, host_root, tree, source);
    if (!contents) return while_doing("docker context " + options_.context, contents.error());
    stack.contents = *std::move(contents);
  }
  stack.compose_hash = compose_hash(stack.wanted, hasher);
  stack.config_hash = hasher.hash(config.text);
  put_one_time_values(stack.external_secrets, stack.model, stack.environment);
  return stack;
}

// What is known of the stack comes into it.
Result<std::vector<ContainerSummary>> StackPreparer::own_containers(const Job& job, PreparedStack& stack,
                                                                    const LockOthers& lock, const Deadline& deadline) {
  auto owned = ownership_.check(job.request, stack.config, deadline);
  if (owned && lock && !owned->taken_over.empty()) {
    if (auto held = lock(owned->taken_over); !held) return tl::unexpected(held.error());
    owned = ownership_.check(job.request, stack.config, deadline);  // as nobody else changes it now
  }
  if (!owned) return tl::unexpected(owned.error());
  stack.is_known = owned->record.has_value();
  stack.record = std::move(owned->record).value_or(StackRecord{});
  stack.taken_over = std::move(owned->taken_over);
  stack.has_old_volumes = owned->has_old_volumes;
  return std::move(owned->containers);
}

Status StackPreparer::plan_removal(const Job& job, PreparedStack& stack, const LockOthers& lock,
                                   const Deadline& deadline) {
  auto containers = own_containers(job, stack, lock, deadline);
  if (!containers) return tl::unexpected(containers.error());
  // Where a source may move to a stack whose containers are gone, it may not remove it: the volumes are still there.
  if (stack.is_known && stack.record.source_id != job.request.source_id)
    return fail(Kind::conflict, std::string(kSomebodyElses));
  stack.containers = by_service(*containers);
  stack.plan = {.stack = stack.config.name};
  for (const auto& [service, list] : stack.containers)
    stack.plan.services.push_back({service, ServiceAction::remove, {"the stack is taken down"}});
  if (stack.is_known || stack.has_old_volumes) stack.plan.reasons.push_back("the stack is taken down");
  return spare_this_process(stack);
}

Status StackPreparer::plan(const Job& job, const Digest& digest, PreparedStack& stack, bool settle,
                           const LockOthers& lock, const Deadline& deadline) {
  auto containers = own_containers(job, stack, lock, deadline);
  if (!containers) return tl::unexpected(containers.error());
  if (auto own = check_volumes(stack, deadline); !own) return own;
  if (settle)
    if (auto settled = settle_half_recreated(engine_, *containers, deadline); !settled)
      return tl::unexpected(settled.error());
  stack.containers = by_service(*containers);
  stack.own_order = fmt::format("{} {}", job.id, digest.str());
  std::optional<Error> lookup_error;
  PlanQuestion question{.stack = stack.config.name,
                        .services = stack.services,
                        .wanted = stack.wanted,
                        .containers = stack.containers,
                        .release_of = stack.record.release_of,
                        .ignores = stack.ignores,
                        .is_at_digest = is_at(*containers, digest.str(), stack.config_hash),
                        .force_recreate = stack.config.force_recreate,
                        .recreate = service_to_recreate(job.request, stack.config.id()),
                        .remove_orphans = stack.config.remove_orphans,
                        .last_release_failed = stack.record.last_state == ReleaseState::failed};
  question.made_from = [&](const std::string& release_id, const std::string& service) -> std::optional<ServiceInputs> {
    auto inputs = releases_.inputs(release_id, service);
    if (inputs) return *inputs;
    lookup_error = inputs.error();
    return std::nullopt;
  };
  stack.plan = make_plan(question);
  if (lookup_error) return tl::unexpected(*lookup_error);
  for (const auto& other : stack.taken_over)
    stack.plan.reasons.push_back(fmt::format("stack {} is taken over: it runs on the same engine", other.str()));
  return spare_this_process(stack);
}

// Of all volumes there are: another stack's are not found by our label.
Status StackPreparer::check_volumes(const PreparedStack& stack, const Deadline& deadline) {
  const auto* definitions = object_of(stack.model, "volumes");
  if (!options_.restricted || definitions == nullptr || definitions->empty()) return {};
  const auto there = engine_.volumes({}, deadline);
  return there ? check_volumes_are_own(stack.model, stack.config.name, *there) : Status(tl::unexpected(there.error()));
}

// U4: nobody would be left to do it. What else happens to a stack with our own container is done by a helper (U2).
Status StackPreparer::spare_this_process(PreparedStack& stack) const {
  if (options_.own_container.empty()) return {};
  for (const auto& [service, containers] : stack.containers)
    if (std::ranges::any_of(containers, [&](const auto& one) { return one.id == options_.own_container; }))
      stack.own_service = service;
  for (const auto& service : stack.plan.services)
    if (service.service == stack.own_service && service.action == ServiceAction::remove)
      return fail(Kind::conflict,
                  fmt::format("service {} is windlass itself, which cannot remove its own container ({}): do it from "
                              "outside, with docker compose or a second windlass",
                              service.service, join(service.reasons, ", ")));
  if (!stack.own_service.empty() && !options_.context.empty() && stack.plan.changes_anything())
    return fail(Kind::conflict,
                fmt::format("service {} is windlass itself, which only the default engine's stacks may hold: leave out "
                            "context: {}",
                            stack.own_service, options_.context));
  return {};
}

json::object StackPreparer::redacted_model(const PreparedStack& stack) const {
  InputHasher hasher(options_.hash_key);
  return redacted(stack.model, hasher, stack.secrets(), inline_variables(stack.config));
}

Result<std::vector<DiscoveredStack>> StackPreparer::discovered(const JobRequest& request, const Deadline& deadline) {
  auto stacks = releases_.discovered(request);
  if (!stacks) return stacks;
  std::erase_if(*stacks, [this](const auto& stack) { return stack.id.context != options_.context; });
  auto others = discovered_by_doco_cd(engine_, options_.context, releases_, request, deadline);
  if (!others) return others;
  std::ranges::move(*others, std::back_inserter(*stacks));
  return stacks;
}

Result<std::vector<ChangedVolume>> StackPreparer::changed_volumes(const PreparedStack& stack,
                                                                  const Deadline& deadline) {
  const auto there = engine_.volumes({project_filter(stack.config.name)}, deadline);
  if (!there) return tl::unexpected(there.error());
  return windlass::changed_volumes(stack.model, *there);
}

Result<std::string> StackPreparer::container_that_mounts(const std::string& host_path, const Deadline& deadline) {
  const auto containers = engine_.containers({}, deadline);
  if (!containers) return tl::unexpected(containers.error());
  for (const auto& container : *containers)
    for (const auto& source : container.bind_sources)
      if (path_below(host_path, source)) return container.name;
  return std::string();
}

Status StackPreparer::plan_moved_images(PreparedStack& stack, const Deadline& deadline) {
  const auto* services = object_of(stack.model, "services");
  for (auto& service : stack.plan.services) {
    if (service.action == ServiceAction::create || service.action == ServiceAction::recreate ||
        service.action == ServiceAction::remove)
      continue;
    const auto* definition = services != nullptr ? object_of(*services, service.service) : nullptr;
    const auto found = stack.containers.find(service.service);
    if (definition == nullptr || found == stack.containers.end()) continue;
    const auto image = image_of(stack.config.name, service.service, *definition);
    auto id = engine_.image_id(image, deadline);
    if (!id && id.error().kind == Kind::not_found) continue;
    if (!id) return tl::unexpected(id.error());
    for (const auto& container : found->second) {
      if (container.image_id == *id) continue;
      service.action = ServiceAction::recreate;
      service.reasons = {fmt::format("image {} moved", image)};
      stack.moved_images[service.service] = *id;
    }
  }
  return {};
}

void StackPreparer::recreate_all(PreparedStack& stack, const std::string& reason) const {
  for (auto& service : stack.plan.services) {
    const bool is_wanted = std::ranges::any_of(stack.services, [&](const ServiceShape& shape) {
      return shape.name == service.service && shape.replicas > 0 && !shape.is_provided;
    });
    if (!is_wanted || !stack.containers.contains(service.service)) continue;
    if (service.action != ServiceAction::recreate) service.reasons.clear();
    service.action = ServiceAction::recreate;
    service.reasons.push_back(reason);
  }
}

}  // namespace windlass
