// JSON schemas (draft 2020-12) of what people write, for editors: `.doco-cd.yaml` and poll configurations.
//
// They say what a key may hold, not everything that the readers check: an editor helps, `windlass validate` decides.
// Keys that windlass does not have yet are left out.
#pragma once

#include "sys/json.h"

namespace windlass {

json::object deploy_schema();  // one document of a deploy configuration
json::object poll_schema();    // the list of a poll configuration

}  // namespace windlass
