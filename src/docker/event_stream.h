// GET /events as an EventStream: a thread of its own reads the answer into a bounded queue.
#pragma once

#include <memory>

#include "docker/engine.h"
#include "sys/http_client.h"

namespace windlass {

// Returns when the answer's headers are here: from then on the engine tells every event. A status other than 200 and
// failures to connect are errors as from HttpTransport::stream, the status as Kind::unavailable with the engine's
// words. The stream ends, and next() says so, when the engine closes it, an event cannot be read, or 4096 events wait.
Result<std::unique_ptr<EventStream>> open_event_stream(HttpTransport& transport, HttpRequest request,
                                                       const Deadline& deadline);

}  // namespace windlass
