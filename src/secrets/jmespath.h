// JMESPath: picks a value out of a JSON document, the full language with all functions of its specification
// (jmespath.org).
//
// Not here: whatever JMESPath does not say about the order of an object's keys; it is that of the document.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "sys/json.h"

namespace windlass {

struct JmesNode;

class JmesPath {
 public:
  static constexpr std::size_t kTextBytesMax = 4 << 10;  // of an expression
  static constexpr int kDepthMax = 50;                   // of brackets and parentheses in each other
  static constexpr int kStepsMax = 1'000'000;            // of one search: expressions within expressions end
  static constexpr std::size_t kBytesMax = 32 << 20;  // of all values that a search makes: "[@,@] | [@,@] | …" ends

  // Kind::invalid names the byte, from 1, and what is wrong there. Functions are known by name and number of arguments
  // here already.
  static Result<JmesPath> parse(std::string_view expression);

  // null where there is nothing. Kind::invalid: a function does not take such a value, a slice with step 0, a limit.
  Result<json::value> search(const json::value& document) const;

 private:
  explicit JmesPath(std::shared_ptr<const JmesNode> root) : root_(std::move(root)) {}
  std::shared_ptr<const JmesNode> root_;  // shared by copies
};

}  // namespace windlass
