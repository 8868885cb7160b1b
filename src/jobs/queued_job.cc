#include "jobs/queued_job.h"

namespace windlass {

RunRecord record_of(const QueuedJob& queued, const JobOutcome& outcome, WallTime ended_at) {
  const auto& request = queued.job.request;
  return {
      .job_id = queued.job.id,
      .trigger = request.trigger,
      .status = outcome.status,
      .repository = shown_repository(request),
      .source = request.source_id,
      .target = request.target,
      .revision = queued.revision.empty() ? revision_of(request) : queued.revision,
      .message = outcome.run_message(),
      .cause = request.cause,
      .parent = queued.parent,
      .attempts = queued.job.attempts,
      .stacks = outcome.stacks,
      .created_at = queued.created_at,
      .updated_at = ended_at,
      .started_at = queued.started_at.value_or(ended_at),  // webhook/X4
      .finished_at = ended_at,
  };
}

}  // namespace windlass
