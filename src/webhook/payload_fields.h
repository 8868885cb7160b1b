// The three known fields of a native payload, read from JSON without building a tree of it.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace windlass {

struct PayloadField {
  enum class Kind { absent, text, not_text };  // null is absent (webhook/J4)
  Kind kind = Kind::absent;
  std::string text;
};

struct PayloadFields {
  PayloadField source, digest, artifact;
};

// Strict JSON (webhook 6.1): one object and nothing behind it, UTF-8, 128 levels, no known field twice, however its
// name is spelled. The message of an error says where.
Result<PayloadFields> read_payload_fields(std::string_view body);

}  // namespace windlass
