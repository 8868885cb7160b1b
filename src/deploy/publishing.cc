// The step of a run that writes its files into the live directories, one for each context (Y8).
#include <fmt/format.h>

#include "deploy/pipeline_run.h"

namespace windlass {

// The end of the job if one of the live directories could not be written: those of the contexts whose stacks go on.
std::optional<JobOutcome> Pipeline::write_live_directories(Run& run, Ready& ready) {
  for (const auto& [context, live_path] : ready.live_paths) {
    if (!run.sees_files(context) || !run.any_stays(context) || !run.any_goes_on(context)) continue;
    if (auto failed = write_live_directory(run, context, live_path, ready.tree)) return failed;
  }
  return std::nullopt;
}

std::optional<JobOutcome> Pipeline::write_live_directory(Run& run, const std::string& context,
                                                         const std::string& live_path, UnpackedTree& tree) {
  const auto failed = [&](const Error& error) {
    return JobOutcome::failed(FailedStep::deployment,
                              fmt::format("writing the live directory {}: {}", live_path, error.message),
                              error.kind == Kind::unavailable);
  };
  auto plain = plain_entries(run, context, live_path, tree);
  if (!plain) return failed(plain.error());
  if (!plain->empty()) tree.plain_root = run.encrypted->folder();
  std::vector<std::pair<TreeEntry*, TreeEntry>> encrypted;  // other engines' containers may not mount the same
  for (auto& entry : tree.entries)
    if (const auto found = plain->find(entry.path); found != plain->end())
      encrypted.emplace_back(&entry, std::exchange(entry, found->second));
  SyncOptions options;
  for (const auto& stack : run.stacks) {
    if (stack.config.context != context) continue;
    options.force = options.force || stack.config.force_recreate;
    options.in_place.insert(stack.in_place.begin(), stack.in_place.end());
  }
  auto synced = live_.sync(live_path, tree, *run.digest, options, run.deadline);
  for (auto& [entry, as_it_was] : encrypted) *entry = std::move(as_it_was);
  if (!synced) {
    const auto& [error, touched] = synced.error();
    if (touched) note_mixed_files(run, context);
    return failed(error);
  }
  for (const auto& path : synced->drift)
    run.log.warning("file was edited by hand and is left alone", {{"path", path}, {"live_directory", live_path}});
  if (!synced->changed.empty())
    run.log.info("live directory written", {{"changed_files", synced->changed.size()}, {"live_directory", live_path}});
  return std::nullopt;
}

// What the containers of all stacks see in plain text. Of a stack that this run leaves alone nobody knows: what is
// decrypted for it stays so.
Result<PlainEntries> Pipeline::plain_entries(const Run& run, const std::string& context, const std::string& live_path,
                                             const UnpackedTree& tree) {
  PlainEntries plain;
  bool all_are_known = true;
  for (const auto& stack : run.stacks) {
    if (stack.config.context != context) continue;
    plain.insert(stack.plain.begin(), stack.plain.end());
    all_are_known = all_are_known && (stack.encrypted != nullptr || stack.config.destroy.enabled);
  }
  if (all_are_known || !run.encrypted->any()) return plain;
  const auto decrypted = live_.decrypted_files(live_path);
  if (!decrypted) return tl::unexpected(decrypted.error());
  auto others = run.encrypted->mounted(*decrypted, tree);
  if (!others) return others;
  plain.merge(*others);
  return plain;
}

// Containers already see files of the new release: it counts as one that could not be started (deploy/V2, V6).
void Pipeline::note_mixed_files(Run& run, const std::string& context) {
  run.touched = true;
  for (auto& stack : run.stacks)
    if (stack.config.context == context && stack.deploys() && !stack.config.destroy.enabled)
      stack.failure = StartFailure::failed;
}

}  // namespace windlass
