// Text that must never be seen: it cannot be printed, logged or formatted by accident, and is wiped when it goes.
#pragma once

#include <string>
#include <string_view>

namespace windlass {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret(Secret&&) noexcept = default;
  Secret& operator=(const Secret&) = default;
  Secret& operator=(Secret&&) noexcept = default;
  ~Secret();

  bool empty() const { return text_.empty(); }
  // The text itself: for the one place that needs it (a MAC key, a request header), never for a message.
  const std::string& reveal() const { return text_; }

 private:
  std::string text_;
};

}  // namespace windlass
