// What a JMESPath expression is made of, once it is parsed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sys/json.h"

namespace windlass {

enum class JmesFunction {
  abs,
  avg,
  ceil,
  contains,
  ends_with,
  floor,
  join,
  keys,
  length,
  map,
  max,
  max_by,
  merge,
  min,
  min_by,
  not_null,
  reverse,
  sort,
  sort_by,
  starts_with,
  sum,
  to_array,
  to_number,
  to_string,
  type,
  values,
};

enum class JmesComparison { equal, unequal, less, at_most, greater, at_least };

struct JmesNode {
  enum class Kind {
    current,           // @
    field,             // name
    literal,           // value
    index,             // [start]
    slice,             // [start:stop:step]
    chain,             // parts[1] of parts[0]: a.b, a[0], a | b
    projection,        // parts[1] of each item of parts[0]
    value_projection,  // parts[1] of each value of parts[0]
    filter,            // parts[1] of each item of parts[0] for which parts[2] holds
    flatten,           // parts[0]
    list,              // [a, b]
    object,            // {keys[0]: parts[0], …}
    both,              // a && b
    either,            // a || b
    negation,          // !a
    comparison,        // parts[0] comparison parts[1]
    call,              // function(parts)
    reference,         // &parts[0]
  };

  Kind kind = Kind::current;
  std::string name;
  json::value value;
  std::optional<std::int64_t> start, stop, step;
  JmesComparison comparison = JmesComparison::equal;
  JmesFunction function = JmesFunction::abs;
  std::vector<std::string> keys;
  std::vector<JmesNode> parts;
};

}  // namespace windlass
