// Service labels of the specification that ask for what windlass does not have yet: refused by name, never ignored.
#pragma once

#include "base/result.h"
#include "sys/json.h"

namespace windlass {

// Scheduled jobs (deploy/J1) would start at once. Kind::invalid, naming service and label.
Status refuse_unbuilt_labels(const json::object& model);

}  // namespace windlass
