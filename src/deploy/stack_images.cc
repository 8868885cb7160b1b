#include "deploy/stack_images.h"

#include <algorithm>
#include <iterator>

#include "deploy/heartbeat.h"
#include "deploy/model_paths.h"

namespace windlass {
namespace {

bool has_latest_tag(std::string_view image) {
  if (image.find('@') != image.npos) return false;
  const auto slash = image.rfind('/');
  const auto name = slash == image.npos ? image : image.substr(slash + 1);
  const auto colon = name.find(':');
  return colon == name.npos || name.substr(colon + 1) == "latest";
}

}  // namespace

StackImages::StackImages(Options options, Driver& driver, Engine& engine, StackPreparer& preparer,
                         ReleaseStore& releases)
    : options_(std::move(options)), driver_(driver), engine_(engine), preparer_(preparer), releases_(releases) {}

Status StackImages::restore(PreparedStack& stack, const std::map<std::string, std::string>& images,
                            const Deadline& deadline) {
  const auto* services = object_of(stack.model, "services");
  for (const auto& [service, id] : images) {
    const auto* definition = services != nullptr ? object_of(*services, service) : nullptr;
    if (definition == nullptr) continue;
    const auto name = image_of(stack.config.name, service, *definition);
    const auto now = engine_.image_id(name, deadline);
    if (!now || *now != id) {
      const auto there = engine_.image_id(id, deadline);
      if (!there && there.error().kind == Kind::not_found) continue;
      if (!there) return tl::unexpected(there.error());
      if (name.find('@') != name.npos) continue;  // a digest names one image only
      if (auto tagged = engine_.tag_image(id, name, deadline); !tagged) return tagged;
    }
    stack.has_image.insert(service);
  }
  return {};
}

// deploy/C6: without a policy always, `missing` when the engine lacks the image or the tag is latest, `never` and
// `build` not; what is not named here is not pulled, which saves a child process.
Status StackImages::get(PreparedStack& stack, const Log& log, const Deadline& deadline) {
  keep_for(stack);
  std::vector<std::string> pulled, built;
  const auto* services = object_of(stack.model, "services");
  for (const auto& shape : stack.services) {
    const auto* service = object_of(*services, shape.name);
    const auto image = text_of(*service, "image");
    if (stack.has_image.contains(shape.name)) continue;
    const auto policy = stack.config.force_image_pull ? std::string_view("always") : text_of(*service, "pull_policy");
    if (object_of(*service, "build") != nullptr) {
      const auto id = engine_.image_id(image_of(stack.config.name, shape.name, *service), deadline);
      if (stack.plan.makes_new_containers(shape.name) || !id) built.push_back(shape.name);
      continue;
    }
    if (image.empty() || policy == "never" || policy == "build") continue;
    if ((policy == "missing" || policy == "if_not_present") && !has_latest_tag(image) &&
        engine_.image_id(std::string(image), deadline))
      continue;
    pulled.push_back(shape.name);
  }
  Heartbeat heartbeat(log, "pulling images", stack.tell_phase);
  if (!pulled.empty()) {
    const ResolvedStack resolved{stack.config.name, stack.model, stack.environment, stack.secrets()};
    if (auto done = driver_.pull(resolved, pulled, deadline.within(options_.pull_timeout)); !done) return done;
  }
  if (!built.empty()) {
    heartbeat.phase("building images");
    if (auto done = build(stack, built, deadline.within(options_.build_timeout)); !done) return done;
  }
  if (pulled.empty() && built.empty() && stack.has_image.empty()) return {};
  return preparer_.plan_moved_images(stack, deadline);
}

// From the unpacked release: the live directory, to which the model's paths lead, is still as it was.
Status StackImages::build(const PreparedStack& stack, const std::vector<std::string>& services,
                          const Deadline& deadline) {
  json::value model = stack.model;
  move_paths(model, stack.live_root, stack.staged_root);
  if (stack.encrypted) stack.encrypted->put_build_files(model.get_object(), stack.staged_root);
  const auto& rule = stack.config.build;
  return driver_.build({stack.config.name, std::move(model.get_object()), stack.environment, stack.secrets()}, services,
                       {.pull = rule.force_image_pull, .no_cache = rule.no_cache, .quiet = rule.quiet}, deadline);
}

void StackImages::prune(const StackId& stack, const Log& log, const Deadline& deadline) {
  const auto old = releases_.images_of(stack);
  const auto needed = releases_.kept_images();
  if (!old || !needed)
    return log.warning("unused images are not known", {{"error", (old ? needed : old).error().message}});
  std::set<std::string> gone;
  std::set_difference(old->begin(), old->end(), needed->begin(), needed->end(), std::inserter(gone, gone.end()));
  if (gone.empty()) return;
  const Heartbeat heartbeat(log, "pruning unused images");
  const auto used = used_images(deadline);
  if (!used) return log.warning("images were not pruned", {{"error", used.error().message}});
  for (const auto& id : *used) gone.erase(id);
  for (auto id = gone.begin(); id != gone.end();) {
    const auto removed = engine_.remove_image(*id, deadline);
    if (removed) log.info("unused image removed", {{"image", *id}});
    const bool is_there = !removed && removed.error().kind != Kind::not_found;
    if (is_there && removed.error().kind != Kind::conflict)  // which is: it has names that we do not know of
      log.warning("image was not pruned", {{"image", *id}, {"error", removed.error().message}});
    id = is_there ? gone.erase(id) : std::next(id);
  }
  if (auto forgotten = releases_.forget_images(stack, gone); !forgotten)
    log.warning("pruned images are still on record", {{"error", forgotten.error().message}});
}

void StackImages::keep_for(PreparedStack& stack) {
  PreparedStack::ImageNames names;
  const auto* services = object_of(stack.model, "services");
  for (const auto& shape : stack.services)
    if (const auto* service = services == nullptr ? nullptr : object_of(*services, shape.name))
      names.insert(image_of(stack.config.name, shape.name, *service));
  stack.image_names = std::make_shared<const PreparedStack::ImageNames>(std::move(names));
  const std::lock_guard lock(mutex_);
  std::erase_if(in_the_making_, [](const auto& held) { return held.expired(); });
  in_the_making_.push_back(stack.image_names);
}

Result<std::set<std::string>> StackImages::used_images(const Deadline& deadline) {
  // First, because a stack may be done with them at any moment: its containers have them by then.
  PreparedStack::ImageNames names;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& held : in_the_making_)
      if (const auto alive = held.lock()) names.insert(alive->begin(), alive->end());
  }
  std::set<std::string> ids;
  for (const auto& name : names) {
    auto id = engine_.image_id(name, deadline);
    if (!id && id.error().kind != Kind::not_found) return tl::unexpected(id.error());
    if (id) ids.insert(*std::move(id));
  }
  const auto containers = engine_.containers({}, deadline);
  if (!containers) return tl::unexpected(containers.error());
  for (const auto& container : *containers) ids.insert(container.image_id);
  return ids;
}

void StackImages::remove(const std::map<std::string, std::string>& images, const Log& log, const Deadline& deadline) {
  const auto used = used_images(deadline);
  const auto needed = releases_.kept_images();
  if (!used || !needed) return log.warning("images were not removed: it is not known what uses them");
  for (const auto& [name, id] : images) {
    if (used->contains(id) || needed->contains(id)) continue;
    if (auto removed = engine_.remove_image(name, deadline); !removed && removed.error().kind != Kind::conflict)
      log.warning("image was not removed", {{"image", name}, {"error", removed.error().message}});
  }
}

}  // namespace windlass
