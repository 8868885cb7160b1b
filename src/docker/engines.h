// The engines by their Docker contexts.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "docker/engine.h"

namespace windlass {

struct Engines {
  virtual ~Engines() = default;
  // The one of a context, "" the default one. Does not connect. Kind::not_found or invalid, naming the context, when
  // its metadata are not there or cannot be used.
  virtual Result<std::shared_ptr<Engine>> engine_of(const std::string& context) = 0;
};

}  // namespace windlass
