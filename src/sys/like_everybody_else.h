// For tests of what cannot be read or written, whoever runs them.
#pragma once

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace windlass {

// Root may read and write everything; while this lives, its thread has laid that power down.
class LikeEverybodyElse {
 public:
  LikeEverybodyElse() {
    ::syscall(SYS_capget, &header_, before_);
    __user_cap_data_struct without[2] = {before_[0], before_[1]};
    without[0].effective &= ~(1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH);
    ::syscall(SYS_capset, &header_, without);
  }
  LikeEverybodyElse(const LikeEverybodyElse&) = delete;
  LikeEverybodyElse& operator=(const LikeEverybodyElse&) = delete;
  ~LikeEverybodyElse() { ::syscall(SYS_capset, &header_, before_); }

 private:
  __user_cap_header_struct header_{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct before_[2]{};
};

}  // namespace windlass
