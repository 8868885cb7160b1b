// What the writer knows: the rows on disk and the picture of them in memory.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "jobs/job_table.h"
#include "jobs/lanes.h"
#include "jobs/retries.h"
#include "sys/sqlite.h"

namespace windlass {

struct Books {
  std::unique_ptr<Db> db;
  JobTable table;
  Lanes lanes;
  Retries retries;
  std::int64_t last_row = 0;
  std::int64_t rows = 0;  // in the table, finished ones too

  Books(std::unique_ptr<Db> state, const JobQueue::Options& options)
      : db(std::move(state)), table(*db), lanes(options.waiting_max), retries(options.retry_delays) {}
};

// Takes back what the last process left: jobs that were running are accepted again, those out of attempts fail, what
// had to be tried again still will be (webhook/K1, K2; reliability/P23).
Status take_back(Books& books, const JobQueue::Options& options, const Clock& clock, const Log& log);

}  // namespace windlass
