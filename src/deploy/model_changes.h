// A resolved compose model that may be kept and shown, and how two of them differ.
#pragma once

#include <vector>

#include "base/secret.h"
#include "deploy/service_inputs.h"
#include "model/plan_report.h"
#include "sys/json.h"

namespace windlass {

// Without secrets: values of environment, build arguments, configs and secrets become "(hidden <8 digits of a keyed
// hash>)", so that equal ones stay equal, and so does whatever else holds one of `secrets`, none of them empty. Those
// of `variables` may be ordinary words: they are hidden where interpolation can put them, but in no image, which
// anybody who may list containers sees, and a plan without images tells little.
json::object redacted(const json::object& model, InputHasher& hasher, const std::vector<Secret>& secrets = {},
                      const std::vector<Secret>& variables = {});

// Value by value, in the order of paths; lists that grew or shrank as a whole.
std::vector<ModelChange> changes_between(const json::object& before, const json::object& after);

}  // namespace windlass
