#include "model/release.h"

namespace windlass {

std::string_view to_string(ReleaseState state) {
  switch (state) {
    case ReleaseState::running:
      return "running";
    case ReleaseState::succeeded:
      return "succeeded";
    case ReleaseState::failed:
      return "failed";
    case ReleaseState::removed:
      return "removed";
  }
  return "failed";
}

}  // namespace windlass
