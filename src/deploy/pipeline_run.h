// One run of the pipeline, for the files that implement it.
#pragma once

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

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
  std::shared_ptr<EncryptedFiles> encrypted;  // of the release
  std::vector<PreparedStack> stacks;
  std::vector<std::optional<Error>> errors;  // by stack
  bool touched = false;  // the live directory is at the new release, or its files are of two releases
  FailedStep failing_step = FailedStep::deployment;  // of a stack that fails now
  std::string_view archive;                          // of a look: what is to be unpacked instead of fetched
  bool is_look = false;                              // only finds out what a deployment would do
  std::string own_path;                              // the live directory, where it is not the plain one (oci 9)
  std::optional<Release> back_to;                    // set: this run brings that release back
  std::string only;                                  // of a repair: the one stack that it is about; "": all of them
  // Of a repair: ReleaseStore::newest() when it was decided.
  std::optional<std::map<std::string, std::string>> decided_at{};
  std::vector<StackLocks::Held> locks;  // until the run and what it leads to have ended
  bool leaves_obsolete = false;         // a stack that is to go was another job's; the next run looks again

  bool any_failed() const {
    return std::any_of(errors.begin(), errors.end(), [](const auto& error) { return error.has_value(); });
  }
  // Is there a stack that is not taken down? Then the live directory is needed.
  bool any_stays() const {
    return std::any_of(stacks.begin(), stacks.end(), [](const auto& stack) { return !stack.config.destroy.enabled; });
  }
  // Is there a stack that is neither left alone nor has failed already?
  bool any_goes_on() const {
    for (std::size_t i = 0; i < stacks.size(); ++i)
      if (stacks[i].filtered_because.empty() && !errors[i]) return true;
    return false;
  }
};

}  // namespace windlass
