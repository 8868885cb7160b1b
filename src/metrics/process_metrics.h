// What the kernel knows of this process, under the names that all exporters use.
#pragma once

#include <string>

namespace windlass {

// process_cpu_seconds_total, process_resident_memory_bytes, process_virtual_memory_bytes, process_open_fds,
// process_max_fds, process_start_time_seconds, process_threads; what cannot be read is left out.
std::string process_metrics();

}  // namespace windlass
