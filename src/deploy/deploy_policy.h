// DEPLOY_POLICY=restricted: what a stack may not ask of the machine (reliability/T20).
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "docker/engine.h"
#include "sys/json.h"

namespace windlass {

// Judges the model as compose has resolved it, so that variables, anchors, `extends` and `include` hide nothing. What
// this version does not know is forbidden too. `tree_root`: the folder the artifact is unpacked in; only paths below it
// may be mounted, built or read. `project`: the name of the stack, whose own volumes and networks it may use.
//
// Kind::denied with every fault: "policy: service web: privileged; policy: volume data: external".
Status check_restricted(const json::object& model, std::string_view project, std::string_view tree_root);

// The text of a name does not say whose a volume is: volume b_data of stack a, volume data of stack a_b and one that
// somebody made by hand may all be a_b_data. Of the volumes of the model those that are `there`, on the engine, must
// have the labels with which compose made them for this stack and key.
//
// Kind::denied with every fault: "policy: volume b_data: a_b_data is volume data of stack a_b".
Status check_volumes_are_own(const json::object& model, std::string_view project, const std::vector<Volume>& there);

}  // namespace windlass
