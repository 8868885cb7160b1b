// What a poll configuration asks for, as the request that any trigger makes.
#pragma once

#include "base/result.h"
#include "config/poll_config.h"
#include "model/job.h"

namespace windlass {

// A poll has no digest of its own: the tag's at the time of the run counts (webhook/P0). Kind::invalid for a url that
// is no reference.
Result<JobRequest> poll_request(const PollConfig& config);

}  // namespace windlass
