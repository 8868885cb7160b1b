// A JMESPath expression cut into its words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sys/json.h"

namespace windlass {

struct JmesToken {
  enum class Kind {
    end,
    name,         // unquoted
    quoted_name,  // in double quotes
    number,
    literal,  // `JSON` or 'raw'
    current,  // @
    reference,
    dot,
    star,
    comma,
    colon,
    pipe,
    either,
    both,
    negation,
    comparison,  // text says which
    open_parenthesis,
    close_parenthesis,
    open_bracket,
    close_bracket,
    open_brace,
    close_brace,
    flatten,  // []
    filter,   // [?
  };
  Kind kind = Kind::end;
  std::size_t at = 0;  // byte, from 0
  std::string text;
  std::int64_t number = 0;
  json::value value;
};

// The last one is the end. Kind::invalid names the byte and the fault.
Result<std::vector<JmesToken>> cut_jmespath(std::string_view expression);

// "byte 5: <fault>"
tl::unexpected<Error> jmespath_fault(std::size_t at, std::string_view fault);

}  // namespace windlass
