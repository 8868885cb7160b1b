#include "base/secret.h"

#include <cstring>

namespace windlass {

Secret::~Secret() {
  if (!text_.empty()) ::explicit_bzero(text_.data(), text_.size());
}

}  // namespace windlass
