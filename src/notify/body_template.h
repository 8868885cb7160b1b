// Bodies of messages in the operator's own words: APPRISE_NOTIFY_BODY_TEMPLATE (api 6.3).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "notify/message.h"
#include "template/template.h"

namespace windlass {

class BodyTemplate {
 public:
  // Also renders a message in which every field is filled: Kind::invalid names what is wrong, with its line.
  static Result<BodyTemplate> parse(std::string_view text);

  // Kind::invalid names what this message has not: the caller takes the built-in body.
  Result<std::string> body_of(const Message& message) const;

 private:
  explicit BodyTemplate(Template parsed) : template_(std::move(parsed)) {}
  Template template_;
};

}  // namespace windlass
