#include "app/docker_hosts.h"

#include "app/engine_access.h"

namespace windlass {
namespace {

// A host with all that it refers to.
struct OwnedHost {
  std::unique_ptr<Engine> own;  // null: the engine is somebody else's
  std::unique_ptr<Driver> driver;
  std::unique_ptr<StackPreparer> preparer;
  std::unique_ptr<StackImages> images;
  std::unique_ptr<StackDeployment> deployment;
  std::unique_ptr<DockerHost> host;
};

}  // namespace

ContextHosts::ContextHosts(Parts parts, Engine& engine) : parts_(std::move(parts)) {
  standard_ = made(nullptr, nullptr, engine);
}

std::shared_ptr<DockerHost> ContextHosts::made(const DockerContext* metadata, std::unique_ptr<Engine> own,
                                               Engine& engine) {
  auto all = std::make_shared<OwnedHost>();
  all->own = std::move(own);
  all->driver = metadata == nullptr ? standard_driver(engine) : compose_driver(*metadata);
  const bool is_remote = metadata != nullptr && windlass::is_remote(*metadata);
  auto options = parts_.preparer;
  options.context = metadata == nullptr ? "" : metadata->name;
  options.is_remote = is_remote;
  auto& releases = parts_.releases;
  all->preparer = std::make_unique<StackPreparer>(std::move(options), *all->driver, engine, releases);
  all->images = std::make_unique<StackImages>(StackImages::Options{}, *all->driver, engine, *all->preparer, releases);
  all->deployment = std::make_unique<StackDeployment>(
      StackDeployment::Options{.observer = &parts_.observer, .instance = parts_.preparer.instance}, *all->driver,
      engine, *all->preparer, *all->images, releases, parts_.clock);
  all->host = std::make_unique<DockerHost>(DockerHost{.engine = engine,
                                                      .driver = *all->driver,
                                                      .preparer = *all->preparer,
                                                      .images = *all->images,
                                                      .deployment = *all->deployment,
                                                      .is_remote = is_remote});
  return {all, all->host.get()};
}

std::unique_ptr<Driver> ContextHosts::compose_driver(const DockerContext& context) {
  auto options = compose_options(parts_.settings, parts_.environment, context);
  options.version = standard_->driver.version();
  return make_compose_driver(std::move(options), parts_.processes, parts_.log.with({{"context", context.name}}));
}

std::unique_ptr<Driver> ContextHosts::standard_driver(Engine& engine) {
  std::error_code unknown;
  auto driver = std::make_unique<OwnStackDriver>(
      OwnStackDriver::Options{.own_container = parts_.preparer.own_container,
                              .program = std::filesystem::read_symlink("/proc/self/exe", unknown).string(),
                              .needs_network = !engine_options(parts_.settings).docker_host.starts_with("unix:")},
      make_compose_driver(compose_options(parts_.settings, parts_.environment), parts_.processes, parts_.log), engine,
      Handover(parts_.handover), parts_.log);
  own_stack_ = driver.get();
  return driver;
}

Result<std::shared_ptr<DockerHost>> ContextHosts::host_of(const std::string& context) {
  if (context.empty()) return standard_;
  auto metadata = read_context(parts_.settings.docker_config_dir, context);
  if (!metadata) return tl::unexpected(metadata.error());
  const std::lock_guard lock(mutex_);
  const auto known = known_.find(context);
  if (known != known_.end() && known->second.metadata == *metadata) return known->second.host;
  auto engine =
      make_context_engine(*metadata, parts_.environment, parts_.settings.docker_api_version, parts_.transport);
  if (!engine) return tl::unexpected(engine.error());
  auto& its = **engine;
  auto host = made(&*metadata, *std::move(engine), its);
  known_.insert_or_assign(context, Known{*std::move(metadata), host});
  return host;
}

std::vector<std::string> ContextHosts::context_names() const {
  return windlass::context_names(parts_.settings.docker_config_dir);
}

}  // namespace windlass
