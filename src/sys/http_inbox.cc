#include "sys/http_inbox.h"

#include <atomic>
#include <boost/asio/post.hpp>
#include <exception>
#include <utility>

#include "sys/crypto.h"
#include "sys/http_answers.h"
#include "sys/http_connection.h"

namespace windlass {

// One request that waits for its answer; shared by the copies of a Responder.
class HttpInbox::Pending {
 public:
  Pending(std::shared_ptr<HttpInbox> inbox, std::weak_ptr<HttpConnection> connection)
      : inbox_(std::move(inbox)), connection_(std::move(connection)) {}
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;
  ~Pending() {
    if (answered_) return;
    try {
      answer(error_answer(500, "internal error", "the request was not answered", new_uuid_v7()));
    } catch (const std::exception&) {  // out of memory, which is perhaps why there is no answer
    }
  }

  void answer(ServerResponse response) {
    if (!answered_.exchange(true)) inbox_->push(std::move(connection_), std::move(response));
  }

 private:
  std::shared_ptr<HttpInbox> inbox_;
  std::weak_ptr<HttpConnection> connection_;
  std::atomic<bool> answered_ = false;
};

Responder HttpInbox::responder_for(std::weak_ptr<HttpConnection> connection) {
  auto pending = std::make_shared<Pending>(shared_from_this(), std::move(connection));
  return [pending = std::move(pending)](ServerResponse response) { pending->answer(std::move(response)); };
}

void HttpInbox::push(std::weak_ptr<HttpConnection> connection, ServerResponse response) {
  std::unique_lock lock(mutex_);
  if (closed_) return;
  if (io_.get_executor().running_in_this_thread()) {
    lock.unlock();
    if (const auto alive = connection.lock()) alive->deliver(std::move(response));
    return;
  }
  answers_.emplace_back(std::move(connection), std::move(response));
  if (std::exchange(is_drain_posted_, true)) return;
  try {
    boost::asio::post(io_, [self = shared_from_this()] { self->drain(); });
  } catch (...) {
    is_drain_posted_ = false;  // the next answer takes this one with it
    throw;
  }
}

void HttpInbox::drain() {
  std::vector<Answer> answers;
  {
    const std::lock_guard lock(mutex_);
    is_drain_posted_ = false;
    answers.swap(answers_);
  }
  std::exception_ptr first;  // one connection's end is not that of the others
  for (auto& [connection, response] : answers) {
    try {
      if (const auto alive = connection.lock()) alive->deliver(std::move(response));
    } catch (...) {
      if (!first) first = std::current_exception();
    }
  }
  if (first) std::rethrow_exception(first);
}

void HttpInbox::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  answers_.clear();
}

}  // namespace windlass
