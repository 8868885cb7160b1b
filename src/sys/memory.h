// What the process keeps in memory beside its own data.
#pragma once

namespace windlass {

// Gives back what the start has left behind: free heap, and the code that was read only to start (40 libraries set
// themselves up, most of which windlass never calls again). Code that is needed again is mapped again from the page
// cache. To be called when the start is over, from any thread.
void release_start_memory();

// At the start of a process: freed memory goes back to the system. By itself the allocator keeps twice the largest
// block it has ever seen, in each of its arenas (mallopt(3), M_TRIM_THRESHOLD).
void keep_little_memory();

// Gives back what the allocator keeps for later, if the process has become large. What one large job needed is not kept
// for the next one.
void release_job_memory();

}  // namespace windlass
