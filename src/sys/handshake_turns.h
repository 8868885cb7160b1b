// Whose turn it is to take a step of a TLS handshake: one connection at a time, the newest first.
//
// A greeting costs nothing to send and milliseconds to answer. In the order of their arrival a thousand of them would
// hold up everybody for seconds; so one is answered, then whatever else is ready has its turn, then the next one. The
// newest first, because what has waited for long has mostly given up, and nobody can tell who will.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <list>
#include <utility>

namespace windlass {

// Of one thread.
class HandshakeTurns {
 public:
  explicit HandshakeTurns(boost::asio::io_context& io) : io_(io) {}

  // Waits while it lives.
  class Place {
   public:
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() { turns_.waiting_.erase(at_); }

   private:
    friend HandshakeTurns;
    Place(HandshakeTurns& turns, std::function<void()> go_on)
        : turns_(turns), at_(turns.waiting_.insert(turns.waiting_.end(), std::move(go_on))) {}
    HandshakeTurns& turns_;
    std::list<std::function<void()>>::iterator at_;
  };

  // `go_on` is called when the turn has come, never within this call. It must give the place up.
  Place enter(std::function<void()> go_on) {
    call_the_next();
    return Place(*this, std::move(go_on));
  }

 private:
  // Behind everything that is ready now.
  void call_the_next() {
    if (is_calling_) return;
    boost::asio::post(io_, [this] {
      is_calling_ = false;
      if (waiting_.empty()) return;
      const auto go_on = waiting_.back();
      if (waiting_.size() > 1) call_the_next();  // before that one, which may throw
      go_on();
    });
    is_calling_ = true;
  }

  boost::asio::io_context& io_;
  std::list<std::function<void()>> waiting_;
  bool is_calling_ = false;
};

}  // namespace windlass
