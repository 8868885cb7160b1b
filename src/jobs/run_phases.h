// What the jobs that run are doing at this moment (deploy/S19). In memory only: after a crash they do something else.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "model/observer.h"

namespace windlass {

class RunPhases final : public Observer {
 public:
  void phase_changed(std::string_view job_id, std::string_view stack, std::string_view phase) override;
  void job_ended(const JobRequest& request, const RunRecord& record, const JobOutcome& outcome) override;

  // "web: pulling images; db: creating services"; "" when nothing is known.
  std::string of(const std::string& job_id) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::map<std::string, std::string>, std::less<>> phases_;  // job -> stack -> phase
};

}  // namespace windlass
