#include "secrets/openbao_token.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/recover.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

constexpr auto kLookAgain = 1h;      // also at a token that never ends: it may be revoked
constexpr auto kAfterAFault = 5min;  // the most that a look-up is put off
constexpr auto kShortest = 10s;
constexpr auto kLookTimeout = 1min;

std::chrono::seconds seconds_of(const json::object& data, std::string_view key) {
  return std::chrono::seconds(number_of(data, key, 0));
}

}  // namespace

OpenbaoToken::~OpenbaoToken() {
  std::jthread keeper;
  {
    const std::lock_guard lock(mutex_);
    keeper = std::move(keeper_);
  }
  keeper.request_stop();
}

void OpenbaoToken::start() {
  const std::lock_guard lock(mutex_);
  if (keeper_.joinable()) return;
  try {
    keeper_ = std::jthread([this](const std::stop_token& stop) {
      std::chrono::seconds wait;
      do {
        wait = kAfterAFault;
        recovered(log_, "tending the token of OpenBao", [&] { wait = tend(Deadline::in(kLookTimeout, stop)); });
      } while (pause(wait, Deadline{.stop = stop}));
    });
  } catch (const std::exception& error) {  // no further thread: the next question tries it again
    log_.warning("no thread to renew the token of OpenBao", {{"error", error.what()}});
  }
}

std::chrono::seconds OpenbaoToken::tend(const Deadline& deadline) {
  const auto found = ask_("GET", "auth/token/lookup-self", deadline);
  if (deadline.stop.stop_requested()) return kShortest;
  const auto* data = found && found->is_object() ? object_of(found->get_object(), "data") : nullptr;
  if (data == nullptr) {
    warn("token of OpenBao cannot be looked up", found ? "the answer holds no data" : found.error().message);
    return kAfterAFault;
  }
  const auto left = seconds_of(*data, "ttl"), whole = std::max(seconds_of(*data, "creation_ttl"), left);
  const auto* renewable = data->if_contains("renewable");
  const bool can_be_renewed = renewable != nullptr && renewable->is_bool() && renewable->get_bool();
  if (left == 0s || !can_be_renewed) {
    is_told_ = false;
    return kLookAgain;
  }
  if (left > whole / 3) {
    is_told_ = false;
    return std::clamp<std::chrono::seconds>(left - whole / 3, kShortest, kLookAgain);
  }
  const auto renewed = ask_("POST", "auth/token/renew-self", deadline);
  if (deadline.stop.stop_requested()) return kShortest;
  if (!renewed) {
    warn("token of OpenBao cannot be renewed", renewed.error().message);
    return std::clamp<std::chrono::seconds>(left / 3, kShortest, kAfterAFault);
  }
  is_told_ = false;
  log_.debug("token of OpenBao is renewed");
  const auto* auth = renewed->is_object() ? object_of(renewed->get_object(), "auth") : nullptr;
  const auto lease = auth == nullptr ? 0s : seconds_of(*auth, "lease_duration");
  return std::clamp<std::chrono::seconds>(lease * 2 / 3, kShortest, kLookAgain);
}

void OpenbaoToken::warn(std::string_view what, const std::string& error) {
  if (!std::exchange(is_told_, true)) log_.warning(what, {{"error", error}});
}

}  // namespace windlass
