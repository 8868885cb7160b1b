// Service labels of the specification that ask for what windlass does not have yet: refused by name, never ignored.
#pragma once

#include "base/result.h"
#include "sys/json.h"

namespace windlass {

// Scheduled jobs (deploy/J1) would start at once, and a service that is to be left alone (deploy/N15, N16) would be
// recreated. Kind::invalid, naming service and label.
Status refuse_unbuilt_labels(const json::object& model);

}  // namespace windlass
