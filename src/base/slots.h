// So many at once; the others wait for their turn.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <utility>

#include "base/deadline.h"
#include "base/result.h"

namespace windlass {

class Slots {
 public:
  // `what` names one in messages: "gave up waiting for <what>".
  Slots(std::size_t count, std::string what) : what_(std::move(what)), free_(count) {}

  // A slot while it lives; one made by default holds none.
  class Held {
   public:
    Held() = default;
    explicit Held(Slots* slots) : slots_(slots) {}
    Held(Held&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)) {}
    Held& operator=(Held&& other) noexcept {
      std::swap(slots_, other.slots_);
      return *this;
    }
    ~Held();
    explicit operator bool() const { return slots_ != nullptr; }

   private:
    Slots* slots_ = nullptr;
  };

  // Kind::unavailable when the deadline passes first.
  Result<Held> take(const Deadline& deadline);

 private:
  void give_back();

  const std::string what_;
  std::mutex mutex_;
  std::condition_variable_any freed_;
  std::size_t free_;
};

}  // namespace windlass
