// What the API says when the queue takes no job.
#pragma once

#include <string>

#include "jobs/queue.h"
#include "sys/http_server.h"

namespace windlass {

// "job queue is full", "shutting down", "cannot persist job: …".
std::string refusal_text(const JobQueue::Accepted& result);
// That as 503 with Retry-After.
ServerResponse refusal_answer(const JobQueue::Accepted& result);

}  // namespace windlass
