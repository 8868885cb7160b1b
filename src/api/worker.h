// One helper thread with a short queue: what may wait for a disk or a socket runs here, not on the server's thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace windlass {

class Worker {
 public:
  Worker();
  ~Worker();  // ends after the task in work; tasks that have not begun are dropped
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // False when too many tasks wait already. What a task throws ends that task.
  bool post(std::function<void()> task);

 private:
  static constexpr std::size_t kTasksMax = 256;
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;  // guarded by mutex_
  bool ending_ = false;                      // guarded by mutex_
  std::thread thread_;
};

}  // namespace windlass
