// A resolved compose model that may be kept and shown, and how two of them differ.
#pragma once

#include <vector>

#include "base/secret.h"
#include "deploy/service_inputs.h"
#include "model/plan_report.h"
#include "sys/json.h"

namespace windlass {

// Without secrets: values of environment, build arguments, configs and secrets, and texts in which one of `secrets`
// stands, become "(hidden <8 digits of a keyed hash>)", so that equal ones stay equal.
json::object redacted(const json::object& model, InputHasher& hasher, const std::vector<Secret>& secrets = {});

// Value by value, in the order of paths; lists that grew or shrank as a whole.
std::vector<ModelChange> changes_between(const json::object& before, const json::object& after);

}  // namespace windlass
