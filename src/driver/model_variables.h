// What a resolved model still takes from the environment of the tool (deploy/X12).
//
// The tool hands its environment on to whatever it starts: ssh, the builder, a proxy command. So once a model is
// resolved nothing of an artifact is in there under a name that the artifact chose.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "sys/json.h"

namespace windlass {

struct ModelVariables {
  json::object model;                            // that names them
  std::map<std::string, std::string> variables;  // WINDLASS_VALUE_<n>, and DOCKER_DEFAULT_PLATFORM
};

// The model with names of our own for the variables that its secrets and configs are read from, with their values in
// `environment`. A name that is not in there stays: it is one of the tool's, or not set.
ModelVariables with_own_names(json::object model, const std::map<std::string, std::string>& environment);

// Secrets and configs that are taken from our credentials, which the tool would read from its environment:
// Kind::invalid.
Status refuse_credentials(const json::object& model);

// A build argument without a value is taken from the environment of the tool, which has our credentials in a build.
json::object without_credential_arguments(json::object model);

}  // namespace windlass
