// Keys that stand twice in one object of a JSON text. What such an object says depends on who reads it: some take the
// first, some the last, and a tree of values no longer shows that there were two (reliability/P10).
#pragma once

#include <string_view>

#include "base/result.h"

namespace windlass {

// `json` must be text that parse_json() takes. Keys are compared as what they stand for: "a" is "\u0061", but not "A".
// Kind::invalid with the key's name. Time n log n, memory 16 bytes for each key of the objects that are open, and a
// copy of every key that has an escape.
Status refuse_repeated_keys(std::string_view json);

}  // namespace windlass
