#include "model/rollback_rule.h"

namespace windlass {

std::string_view to_string(StartFailure failure) {
  switch (failure) {
    case StartFailure::failed:
      return "failed";
    case StartFailure::unhealthy:
      return "unhealthy";
    case StartFailure::timeout:
      return "timeout";
  }
  return "failed";
}

bool RollbackRule::answers(StartFailure failure) const {
  switch (failure) {
    case StartFailure::failed:
      return on_failed;
    case StartFailure::unhealthy:
      return on_unhealthy;
    case StartFailure::timeout:
      return on_timeout;
  }
  return false;
}

}  // namespace windlass
