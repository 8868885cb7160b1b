// JSON whose meaning others vouch for by a digest or a signature: it must say the same to every reader. Of a key that
// stands twice in one object some readers take the first value, some the last, and a tree of values no longer shows
// that there were two (reliability/P10).
#pragma once

#include <string_view>

#include "sys/json.h"

namespace windlass {

// As parse_json(), and Kind::invalid too for a repeated key, with its name. Keys are compared as what they stand for:
// "a" is "\u0061", but not "A". On top of the parser's: time n log n, memory 16 bytes for each key of the objects that
// are open, and a copy of every key that has an escape.
Result<json::value> parse_unambiguous_json(std::string_view text);

}  // namespace windlass
