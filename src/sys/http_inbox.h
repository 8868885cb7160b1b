// Brings answers from any thread to the server's thread. Answers that come together cost one wake-up.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "sys/http_server.h"

namespace windlass {

class HttpConnection;

class HttpInbox : public std::enable_shared_from_this<HttpInbox> {
 public:
  explicit HttpInbox(boost::asio::io_context& io) : io_(io) {}

  // What the handler gets: the first call answers, and when the last copy goes without a call, that answers 500.
  Responder responder_for(std::weak_ptr<HttpConnection> connection);

  // Answers that come from now on are dropped: the server is going away.
  void close();

 private:
  class Pending;
  void push(std::weak_ptr<HttpConnection> connection, ServerResponse response);
  void drain();

  using Answer = std::pair<std::weak_ptr<HttpConnection>, ServerResponse>;
  boost::asio::io_context& io_;
  std::mutex mutex_;
  bool closed_ = false;          // guarded by mutex_
  std::vector<Answer> answers_;  // guarded by mutex_
  bool is_drain_posted_ = false;
};

}  // namespace windlass
