// DEPLOY_POLICY=restricted: what a stack may not ask of the machine (reliability/T20).
#pragma once

#include <string_view>

#include "base/result.h"
#include "sys/json.h"

namespace windlass {

// Judges the model as compose has resolved it, so that variables, anchors, `extends` and `include` hide nothing. What
// this version does not know is forbidden too. `tree_root`: the folder the artifact is unpacked in; only paths below it
// may be mounted, built or read. `project`: the name of the stack, whose own volumes and networks it may use.
//
// Kind::denied with every fault: "policy: service web: privileged; policy: volume data: external".
Status check_restricted(const json::object& model, std::string_view project, std::string_view tree_root);

}  // namespace windlass
