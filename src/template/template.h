// The part of Go's text/template that operators write bodies of notifications (api 6.3) and requests to stores of
// secrets (secrets/V1.4) in: field access, if, range, with, variables, pipelines, the functions eq ne lt le gt ge and
// or not len index printf, trim markers, comments. Requests have some functions more.
//
// Not here: whatever else Go has; a template that uses it is refused where it is parsed.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "template/template_ast.h"

namespace windlass {

// Rewrites what one action prints. `before`: what was printed so far; `is_url_encoded`: the function urlencode made it.
using TemplateEscape = std::function<std::string(std::string_view before, std::string value, bool is_url_encoded)>;

class Template {
 public:
  static constexpr std::size_t kTextBytesMax = 64 << 10;    // of the template
  static constexpr std::size_t kOutputBytesMax = 64 << 10;  // more is a mistake, and nobody reads it
  static constexpr int kStepsMax = 20'000;                  // of one rendering: loops in loops end

  // Kind::invalid names the line, and the construct that is wrong or not supported.
  static Result<Template> parse(std::string_view text, TemplateDialect dialect = TemplateDialect::message);

  // What Go would print with that dot. Kind::invalid names the line: no such field, an index out of range, values that
  // cannot be compared, a limit.
  Result<std::string> render(const TemplateValue& dot, const TemplateEscape& escape = nullptr) const;

 private:
  explicit Template(std::vector<TemplateNode> nodes)
      : nodes_(std::make_shared<const std::vector<TemplateNode>>(std::move(nodes))) {}
  std::shared_ptr<const std::vector<TemplateNode>> nodes_;  // shared by copies
};

}  // namespace windlass
