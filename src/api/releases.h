// The releases of the stacks: GET /v1/api/releases, GET /v1/api/release/{id}, POST /v1/api/release/{id}/rollback
// (api 2.7).
#pragma once

#include <string>
#include <string_view>

#include "api/release_archive.h"
#include "jobs/queue.h"
#include "sys/http_server.h"

namespace windlass {

class Releases {
 public:
  // Both must live as long as the queue.
  Releases(ReleaseArchive& archive, JobQueue& queue) : archive_(archive), queue_(queue) {}

  struct Filter {
    ReleaseFilter releases;
    std::size_t limit = 50;
  };
  // The filter that a query asks for, or the 400 that says what is wrong with it.
  static tl::expected<Filter, ServerResponse> filter(std::string_view query, std::string_view job_id);

  // These read the state file: not on the server's thread. `job_id` is the id of this request.
  ServerResponse list(const Filter& filter, std::string_view job_id) const;
  ServerResponse show(const std::string& release_id, std::string_view job_id) const;
  // A job that brings the release back: 202 once it is on disk, or with `wait` 200 or 500 once it has ended.
  void roll_back(const std::string& release_id, bool wait, std::string job_id, Responder respond) const;

 private:
  ReleaseArchive& archive_;
  JobQueue& queue_;
};

}  // namespace windlass
