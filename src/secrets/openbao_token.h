// Keeps the token of OpenBao alive (secrets/V5.2).
//
// A thread of its own looks the token up and renews it when two thirds of its life are over. It begins with the first
// question to the server: who never asks needs no token.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "base/deadline.h"
#include "base/log.h"
#include "base/result.h"
#include "sys/json.h"

namespace windlass {

class OpenbaoToken {
 public:
  // A call to the server, below /v1/, with the token.
  using Ask = std::function<Result<json::value>(std::string_view method, const std::string& path, const Deadline&)>;

  OpenbaoToken(Ask ask, Log log) : ask_(std::move(ask)), log_(std::move(log)) {}
  ~OpenbaoToken();

  // From now on the thread tends the token.
  void start();
  // One look: renews the token if it is time. When to look again.
  std::chrono::seconds tend(const Deadline& deadline);

 private:
  void warn(std::string_view what, const std::string& error);

  const Ask ask_;
  const Log log_;
  bool is_told_ = false;  // the last look failed; of the thread
  std::mutex mutex_;
  std::jthread keeper_;  // guarded by mutex_
};

}  // namespace windlass
