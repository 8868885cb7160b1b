#include "source/poll_request.h"

#include "oci/reference.h"

namespace windlass {

Result<JobRequest> poll_request(const PollConfig& config) {
  auto reference = Reference::parse(config.url);
  if (!reference) return while_doing("invalid OCI artifact reference", reference.error());
  return JobRequest{.source = SourceType::oci,
                    .trigger = Trigger::poll,
                    .artifact = config.url,
                    .source_id = reference->source_id(),
                    .repository = reference->repository(),
                    .ref = reference->identifier(),
                    .ref_is_digest = reference->digest().has_value(),
                    .target = config.target,
                    .deployments = config.deployments};
}

}  // namespace windlass
