// One run of the pipeline, for the files that implement it.
#pragma once

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "deploy/docker_host.h"
#include "deploy/pipeline.h"
#include "sys/files.h"

namespace windlass {

// A folder for one unpacked release; gone when the run ends, whatever happens.
class Staging {
 public:
  explicit Staging(std::filesystem::path folder) : folder_(std::move(folder)) {}
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;
  ~Staging() { (void)remove_tree(folder_); }
  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
};

// The end of a job whose state cannot be read or written: to go on would be to forget what a later job must know.
inline JobOutcome state_fault(const Error& error) {
  return JobOutcome::failed(FailedStep::internal, while_doing("keeping the state of the run", error).value().message,
                            error.kind == Kind::unavailable);
}

// What one run has found out so far.
struct Pipeline::Run {
  const Job& job;
  const TellRevision& tell_revision;
  Deadline deadline;
  Log log;
  std::string lane;
  std::optional<Digest> digest;
  std::string key;                            // SettledRuns::key() as it was before anything was verified
  std::string trust_hash;                     // SettledRuns::trust_hash() as it was before that
  std::shared_ptr<EncryptedFiles> encrypted;  // of the release
  std::vector<PreparedStack> stacks;
  std::vector<std::optional<Error>> errors;  // by stack
  bool touched = false;  // the live directory is at the new release, or its files are of two releases
  FailedStep failing_step = FailedStep::deployment;  // of a stack that fails now
  std::string_view archive;                          // of a look: what is to be unpacked instead of fetched
  bool is_look = false;                              // only finds out what a deployment would do
  std::string own_path;                              // the live directory, where it is not the plain one (oci 9)
  std::optional<Release> back_to;                    // set: this run brings that release back
  StackId only;  // of a repair: the one stack that it is about; no name: all of them
  // Of a repair: ReleaseStore::newest() when it was decided.
  std::optional<std::map<StackId, std::string>> decided_at{};
  std::vector<StackLocks::Held> locks;  // until the run and what it leads to have ended
  bool is_again = false;                // another attempt of a rollback: what has come back already stays
  // Stacks are planned side by side.
  std::unique_ptr<std::mutex> locks_mutex = std::make_unique<std::mutex>();
  bool leaves_obsolete = false;  // a stack that is to go was another job's; the next run looks again

  // By context: all that a stack of the run is on, and those of them that cannot be had, which only their own stacks
  // fail by (deploy/Y1).
  std::map<std::string, std::shared_ptr<DockerHost>> hosts{};
  std::set<std::string> away{};

  // Does its engine see the live directory of the context? Where nobody does, none is written.
  bool sees_files(const std::string& context) const {
    const auto host = hosts.find(context);
    const bool is_remote = host != hosts.end() && host->second != nullptr && host->second->is_remote;
    return !is_remote || any(context, [this](auto index) { return stacks[index].config.remote_paths; });
  }
  DockerHost& host_of(const PreparedStack& stack) const { return *hosts.at(stack.config.context); }
  Log log_of(const StackId& stack) const {
    return stack.context.empty() ? log.with({{"stack", stack.name}})
                                 : log.with({{"stack", stack.name}, {"context", stack.context}});
  }

  // Below, `context` is nothing for all of them.
  using Context = std::optional<std::string>;
  bool any(const Context& context, const std::function<bool(std::size_t index)>& is_so) const {
    for (std::size_t index = 0; index < stacks.size(); ++index)
      if ((!context || stacks[index].config.context == *context) && is_so(index)) return true;
    return false;
  }
  // But for those whose engine cannot be had.
  bool any_failed(const Context& context = std::nullopt) const {
    return any(context, [this](auto index) { return errors[index] && !away.contains(stacks[index].config.context); });
  }
  // Have stacks failed, and all of them by what says nothing against the release: engines that cannot be had, and
  // loops?
  bool failed_blamelessly() const {
    const auto has_failed = [this](auto index) { return errors[index].has_value(); };
    const auto is_blamed = [this](auto index) {
      return errors[index] && !away.contains(stacks[index].config.context) && !stacks[index].is_looping;
    };
    return any(std::nullopt, has_failed) && !any(std::nullopt, is_blamed);
  }
  // Is there a stack that is not taken down? Then the live directory is needed.
  bool any_stays(const Context& context = std::nullopt) const {
    return any(context, [this](auto index) { return !stacks[index].config.destroy.enabled; });
  }
  // Is there a stack that is neither left alone nor has failed already?
  bool any_goes_on(const Context& context = std::nullopt) const {
    return any(context, [this](auto index) { return stacks[index].filtered_because.empty() && !errors[index]; });
  }
};

}  // namespace windlass
